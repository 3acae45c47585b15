"""All addresses of the desk with the right each needs (路由表)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from qianmo.web.api import api
from qianmo.web.guard import Route, pattern
from qianmo.web.pages import home, imports, lines, map_page, people, rows, setup, work
from qianmo.web.tiles import layer_picture, layer_tile

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
)

urlpatterns: list[URLPattern | URLResolver] = [
    *(path(f"accounts/{address}", _closed) for address in ("signup/", "email/", "password/reset/", "password/reset/done/", "inactive/", "confirm-email/")),
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
