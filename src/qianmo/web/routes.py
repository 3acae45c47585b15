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
    home,
    imports,
    lines,
    map_page,
    people,
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
from qianmo.web.tiles import changes_tile, layer_picture, layer_tile, raster_picture

__all__ = ["ROUTES", "handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def _closed(request: HttpRequest, **_: object) -> HttpResponse:
    raise Http404


ROUTES: tuple[Route, ...] = (
    Route("", "home", home.show_home, "see"),
    Route("health/", "health", home.health, "public", is_data=True),
    Route("setup/", "setup", setup.first_person, "public"),
    Route("unit/", "unit", home.choose_unit, "public"),
    Route("map/", "map", map_page.show_map, "see"),
    Route("map/style.json", "map-style", map_page.map_style, "see", is_data=True),
    Route("tiles/<str:version>/<str:layer>/<int:zoom>/<int:column>/<int:row>.mvt", "tile", layer_tile, "see", is_data=True),
    Route("tiles/<str:version>/<str:layer>/<int:zoom>/<int:column>/<int:row>.png", "picture", layer_picture, "see", is_data=True),
    Route("tiles/changes/<str:before>/<str:after>/<int:zoom>/<int:column>/<int:row>.mvt", "changes-tile", changes_tile, "see", is_data=True),
    Route("rasters/<str:version>/<str:layer>/<int:zoom>/<int:column>/<int:row>.png", "raster", raster_picture, "see", is_data=True),
    Route("rasters/<str:layer>.json", "raster-style", map_page.raster_style, "see", is_data=True),
    Route("sheets/new/", "sheet-new", sheets.new_sheet, "overlay"),
    Route("sheets/<uuid:number>/", "sheet", sheets.show_sheet, "overlay"),
    Route("sheets/<uuid:number>/sheet.pdf", "sheet-file", sheets.sheet_file, "overlay"),
    Route("undo/", "undo", undo.undo_last, "run"),
    Route("layers/<str:layer>/", "layer", home.show_layer, "see"),
    Route("layers/<str:layer>/rights/", "layer-rights", home.layer_rights, "manage"),
    Route("layers/<str:layer>/<path:key>/", "row", rows.show_row, "see"),
    Route("lines/", "lines", lines.all_lines, "overlay"),
    Route("lines/<uuid:number>/", "line", lines.show_line, "overlay"),
    Route("lines/<uuid:number>/report.xlsx", "line-table", lines.line_table, "overlay"),
    Route("tasks/", "tasks", work.all_tasks, "run"),
    Route("tasks/new/<str:job>/", "task-new", work.new_task, "run"),
    Route("tasks/<uuid:number>/", "task", work.show_task, "run"),
    Route("tasks/<uuid:number>/cancel/", "task-cancel", work.cancel_task, "run"),
    Route("imports/", "imports", imports.all_imports, "run"),
    Route("imports/<uuid:number>/", "import", imports.show_import, "run"),
    Route("imports/<uuid:number>/<int:step>/", "import-step", imports.import_step, "run"),
    Route("imports/<uuid:number>/remove/", "import-remove", imports.remove_import, "run"),
    Route("people/", "people", people.all_people, "manage"),
    Route("people/new/", "person-new", people.new_person, "manage"),
    Route("people/<int:pk>/", "person", people.show_person, "manage"),
    Route("people/<int:pk>/sign-out/", "person-sign-out", account.end_sessions_of, "manage"),
    Route("accounts/sessions/", "sessions", account.my_sessions, "account"),
    Route("accounts/office/<str:provider_id>/", "openid_connect_login", sign_on.go_to_server, "public"),
    Route("accounts/office/<str:provider_id>/callback/", "openid_connect_callback", sign_on.come_back, "public"),
    *LIBRARY_ROUTES,
    Route("reviews/", "reviews", reviews.all_reviews, "review"),
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

_SHUT = (
    "signup/", "email/", "password/reset/", "password/reset/done/", "password/reset/key/<path:rest>", "inactive/", "confirm-email/", "confirm-email/<path:rest>",
    "login/code/confirm/",
)  # fmt: skip
"""Addresses of the sign-in library that lead nowhere here: nobody makes an account or a new password from outside."""

urlpatterns: list[URLPattern | URLResolver] = [
    *(path(f"accounts/{address}", _closed) for address in _SHUT),
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
