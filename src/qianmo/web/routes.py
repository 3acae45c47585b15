"""All addresses of the desk with the right each needs (路由表)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from qianmo.web.api import api
from qianmo.web.guard import Route, pattern
from qianmo.web.library_routes import LIBRARY_ROUTES
from qianmo.web.pages import (
    account,
    exports,
    home,
    imports,
    line_files,
    lines,
    map_page,
    more_exports,
    people,
    plans,
    review_drafts,
    review_points,
    reviews,
    rows,
    setup,
    sheets,
    sign_on,
    undo,
    work,
)
from qianmo.web.pages import review as one_review
from qianmo.web.tiles import changes_tile, layer_picture, layer_tile, plan_changes_tile, raster_picture

__all__ = ["ROUTES", "handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def _closed(request: HttpRequest, **_: object) -> HttpResponse:
    raise Http404


ROUTES: tuple[Route, ...] = (
    Route("", "home", home.show_home, "see"),
    Route("health/", "health", home.health, "public", is_data=True),
    Route("setup/", "setup", setup.first_person, "public"),
    Route("unit/", "unit", home.choose_unit, "public"),
    Route("tables/catalogue.xlsx", "catalogue-table", exports.catalogue_table, "see"),
    Route("map/", "map", map_page.show_map, "see"),
    Route("map/style.json", "map-style", map_page.map_style, "see", is_data=True),
    Route("tiles/<str:version>/<str:layer>/<int:zoom>/<int:column>/<int:row>.mvt", "tile", layer_tile, "see", is_data=True),
    Route("tiles/<str:version>/<str:layer>/<int:zoom>/<int:column>/<int:row>.png", "picture", layer_picture, "see", is_data=True),
    Route("tiles/changes/<str:before>/<str:after>/<int:zoom>/<int:column>/<int:row>.mvt", "changes-tile", changes_tile, "see", is_data=True),
    Route("tiles/plans/<str:before>/<str:after>/<int:zoom>/<int:column>/<int:row>.mvt", "plan-changes-tile", plan_changes_tile, "see", is_data=True),
    Route("rasters/<str:version>/<str:layer>/<int:zoom>/<int:column>/<int:row>.png", "raster", raster_picture, "see", is_data=True),
    Route("rasters/<str:layer>.json", "raster-style", map_page.raster_style, "see", is_data=True),
    Route("sheets/new/", "sheet-new", sheets.new_sheet, "overlay"),
    Route("sheets/<uuid:number>/", "sheet", sheets.show_sheet, "overlay"),
    Route("sheets/<uuid:number>/sheet.pdf", "sheet-file", sheets.sheet_file, "overlay"),
    Route("undo/", "undo", undo.undo_last, "run"),
    Route("undo/versions.xlsx", "versions-table", exports.versions_table, "run"),
    Route("plans/", "plans", plans.all_plans, "see"),
    Route("plans/plans.xlsx", "plans-table", plans.plans_table, "see"),
    Route("plans/<str:name>/", "plan", plans.show_plan, "see"),
    Route("plans/<str:name>/tables/<str:table>.xlsx", "plan-table", plans.plan_table, "see"),
    Route("plans/<str:before>/to/<str:after>/", "plan-changes", plans.show_changes, "see"),
    Route("plans/<str:before>/to/<str:after>/<str:table>.xlsx", "plan-changes-table", plans.changes_table, "see"),
    Route("layers/<str:layer>/", "layer", home.show_layer, "see"),
    Route("layers/<str:layer>/columns.xlsx", "columns-table", exports.columns_table, "see"),
    Route("layers/<str:layer>/rights/", "layer-rights", home.layer_rights, "manage"),
    Route("rows/<str:layer>/<str:table>/<path:key>.xlsx", "row-table", more_exports.row_table, "see"),
    Route("layers/<str:layer>/<path:key>/", "row", rows.show_row, "see"),
    Route("lines/", "lines", lines.all_lines, "overlay"),
    Route("lines/lines.xlsx", "lines-table", exports.lines_table, "overlay"),
    Route("lines/upload/", "line-upload", line_files.upload_line, "overlay"),
    Route("lines/overlay.xlsx", "line-overlay-table", more_exports.overlay_table, "overlay"),
    Route("lines/upload/<uuid:number>/<str:table>.xlsx", "line-file-table", more_exports.line_file_table, "overlay"),
    Route("lines/upload/<uuid:number>/", "line-file", line_files.show_line_file, "overlay"),
    Route("lines/<uuid:number>/", "line", lines.show_line, "overlay"),
    Route("lines/<uuid:number>/shape.json", "line-shape", lines.line_shape, "overlay", is_data=True),
    Route("lines/<uuid:number>/report.xlsx", "line-table", lines.line_table, "overlay"),
    Route("tasks/", "tasks", work.all_tasks, "run"),
    Route("tasks/tasks.xlsx", "tasks-table", exports.tasks_table, "run"),
    Route("tasks/new/<str:job>/", "task-new", work.new_task, "run"),
    Route("tasks/<uuid:number>/", "task", work.show_task, "run"),
    Route("tasks/<uuid:number>/cancel/", "task-cancel", work.cancel_task, "run"),
    Route("imports/", "imports", imports.all_imports, "run"),
    Route("imports/imports.xlsx", "imports-table", exports.uploads_table, "run"),
    Route("imports/<uuid:number>/faults.xlsx", "import-faults", exports.faults_table, "run"),
    Route("imports/<uuid:number>/tables/<str:table>.xlsx", "import-table", more_exports.import_table, "run"),
    Route("imports/<uuid:number>/", "import", imports.show_import, "run"),
    Route("imports/<uuid:number>/<int:step>/", "import-step", imports.import_step, "run"),
    Route("imports/<uuid:number>/remove/", "import-remove", imports.remove_import, "run"),
    Route("people/", "people", people.all_people, "manage"),
    Route("people/people.xlsx", "people-table", exports.people_table, "manage"),
    Route("people/new/", "person-new", people.new_person, "manage"),
    Route("people/<int:pk>/", "person", people.show_person, "manage"),
    Route("people/<int:pk>/sign-out/", "person-sign-out", account.end_sessions_of, "manage"),
    Route("accounts/sessions/", "sessions", account.my_sessions, "account"),
    Route("accounts/sessions.xlsx", "sessions-table", more_exports.sessions_table, "account"),
    Route("accounts/office/<str:provider_id>/", "openid_connect_login", sign_on.go_to_server, "public"),
    Route("accounts/office/<str:provider_id>/callback/", "openid_connect_callback", sign_on.come_back, "public"),
    *LIBRARY_ROUTES,
    Route("reviews/", "reviews", reviews.all_reviews, "review"),
    Route("review-new/", "review-new", review_drafts.new_review, "run"),
    Route("review-drafts/<uuid:number>/", "review-draft", review_drafts.show_draft, "review"),
    Route("review-drafts/<uuid:number>/do/", "review-draft-do", review_drafts.act_on_draft, "review"),
    Route("review-drafts/<uuid:number>/tables/<str:table>.xlsx", "review-draft-table", review_drafts.table_of_draft, "review"),
    Route("review-days/", "review-days", reviews.show_days, "review"),
    Route("review-tables/<str:table>.xlsx", "reviews-table", reviews.list_table, "review"),
    Route("reviews/<str:review>/", "review", one_review.show_review, "review"),
    Route("reviews/<str:review>/do/<str:verb>/", "review-do", one_review.do_move, "review"),
    Route("reviews/<str:review>/meeting/", "review-meeting", one_review.show_meeting, "review"),
    Route("reviews/<str:review>/points/<str:department>/", "review-points", review_points.show_points, "review"),
    Route("reviews/<str:review>/points/<str:department>/sign/", "review-sign", review_points.sign, "review"),
    Route("reviews/<str:review>/parcels/<path:parcel>/", "review-parcel", one_review.show_parcel, "review"),
    Route("reviews/<str:review>/tables/<str:table>.xlsx", "review-table", one_review.table, "review"),
    Route("reviews/<str:review>/decision/<str:form>/", "review-decision", one_review.decision, "review"),
)

_CLOSED = (
    "signup/", "email/", "password/reset/", "password/reset/done/",
    "password/reset/key/<path:rest>", "inactive/", "confirm-email/", "confirm-email/<path:rest>", "login/code/confirm/",
)
"""Pages of accounts that need mail or self-registration, which the desk has not."""

urlpatterns: list[URLPattern | URLResolver] = [
    *(path(f"accounts/{address}", _closed) for address in _CLOSED),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("language/", set_language, name="set_language"),
    path("api/", api.urls),
    *(pattern(route) for route in ROUTES),
]

handler400 = "qianmo.web.errors.bad_request"
handler403 = "qianmo.web.errors.forbidden"
handler404 = "qianmo.web.errors.not_found"
handler500 = "qianmo.web.errors.server_error"
