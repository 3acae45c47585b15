"""Addresses of the project library with the right each needs (项目库路由)."""

from __future__ import annotations

from qianmo.web.guard import Route
from qianmo.web.pages import library, library_accept, library_add, library_exchange, library_plan, library_rows

__all__ = ["LIBRARY_ROUTES"]

LIBRARY_ROUTES: tuple[Route, ...] = (
    Route("library/", "library", library.show_library, "see"),
    Route("library/board/", "library-board", library.show_board, "see"),
    Route("library/years/", "library-bars", library.show_bars, "see"),
    Route("library/ranking/", "library-ranking", library_plan.show_ranking, "see"),
    Route("library/ranking/keep/", "library-ranking-keep", library_plan.keep_ranking, "run"),
    Route("library/funds/", "library-funds", library_plan.show_funds, "see"),
    Route("library/funds/new/", "library-fund-new", library_rows.new_fund, "run"),
    Route("library/funds/of/<str:fund>/", "library-fund", library_rows.change_fund, "run"),
    Route("library/funds/of/<str:fund>/pay/", "library-fund-pay", library_rows.pay_fund, "run"),
    Route("library/floors/", "library-floors", library_rows.change_floors, "run"),
    Route("library/order/", "library-order", library_rows.change_order, "run"),
    Route("library/changes/", "library-changes", library_rows.show_changes, "see"),
    Route("library/plan/", "library-plan", library_plan.show_plan, "see"),
    Route("library/plan/run/", "library-plan-run", library_plan.ask_plan, "run"),
    Route("library/from-plan/", "library-add", library_add.plan_to_library, "run"),
    Route("library/new/", "library-new", library_add.new_project, "run"),
    Route("library/import/", "library-import", library_exchange.show_import, "run"),
    Route("library/import/check/", "library-import-check", library_exchange.check_import, "run"),
    Route("library/import/check.xlsx", "library-import-table", library_exchange.check_table, "run"),
    Route("library/library.xlsx", "library-workbook", library.library_workbook, "see"),
    Route("library/tables/<str:name>.xlsx", "library-table", library.library_table, "see"),
    Route("library/projects/<str:project>/", "library-project", library.show_project, "see"),
    Route("library/projects/<str:project>/change/", "library-change", library_add.change_project, "run"),
    Route("library/projects/<str:project>/payments/", "library-payments", library_rows.change_payments, "run"),
    Route("library/projects/<str:project>/step/", "library-step", library.move_step, "review"),
    Route("library/projects/<str:project>/acceptance/", "library-acceptance", library_accept.show_acceptance, "see"),
    Route("library/projects/<str:project>/acceptance/keep/", "library-acceptance-keep", library_accept.keep_acceptance, "review"),
    Route("library/projects/<str:project>/acceptance.xlsx", "library-acceptance-table", library_accept.acceptance_table, "see"),
)
"""Pages and tables of the library; sending a form for a preview needs no more than seeing it."""
