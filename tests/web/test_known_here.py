"""What a click tells beside the layers: history over kept states, projects of the village, alarms; each under the rights of its layer."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from qianmo.store.parquet import read_frame
from qianmo.store.project import change, open_project

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def changed(library, put_project_back):
    """The township with one patch turned into a pond, with a light and a break on it; taken back at the end."""
    before = (library / "current").read_text(encoding="ascii")
    frame = read_frame(open_project(library).state / "layers" / "landuse_patch.parquet")
    row = int(np.flatnonzero(frame["class_code"] == "0101")[0])
    patch = str(frame["patch_id"].iloc[row])
    frame.loc[frame.index[row], "class_code"] = "1104"
    with change(library, what="挖塘", user="乙", now=NOW) as stage:
        stage.put_layer(frame, stage.datasets["landuse_patch"])
        stage.put_table("change_signal", pd.DataFrame({"patch_id": [patch], "farmland": [True], "light": ["red"], "candidate": [""], "node": [""]}))
        stage.put_table("change_series", pd.DataFrame({"patch_id": [patch], "alarm_day": ["2025-06-01"], "repeats": [4]}))
    yield patch
    put_project_back(library, before)


def _place(patch: str) -> tuple[float, float]:
    from qianmo.jobs.queries.identify import row_number
    from qianmo.jobs.queries.search import place_of
    from qianmo.web.desk import layers

    shown = layers().layer("landuse_patch")
    found = place_of(shown, row_number(shown, patch))
    return found.lon, found.lat


def _here(client, patch: str) -> dict:
    lon, lat = _place(patch)
    return client.get(f"/api/here?lon={lon}&lat={lat}").json()


def test_the_states_in_which_a_patch_changed_are_told_the_newest_first(changed, signed_in):
    told = _here(signed_in("reader"), changed)
    assert told["patch"] == changed and [h["class_code"] for h in told["history"]] == ["1104", "0101"]
    assert told["history"][0]["what"] == "挖塘" and told["history"][0]["user"] == "乙" and told["history"][0]["area_m2"] > 0


def test_alarms_and_projects_of_the_village_are_told(changed, signed_in):
    from qianmo.jobs.queries.library import library_view
    from qianmo.web.desk import project_folder

    told = _here(signed_in("planner"), changed)
    assert [(a["kind"], a["when"]) for a in told["alarms"]] == [("light", ""), ("series", "2025-06-01")] and "红灯" in told["alarms"][0]["zh"]
    view = library_view(project_folder())
    villages = {str(p["project_id"]): view.unit_codes(p) for p in view.projects.to_dict("records")}
    assert {p["project"] for p in told["projects"]} <= set(villages)
    page = signed_in("planner").get(f"/layers/landuse_patch/{changed}/").content.decode()
    assert "图斑历史" in page and "挖塘" in page and "红灯" in page


def test_who_may_not_see_the_land_use_is_told_nothing_of_it(changed, signed_in):
    from qianmo.web.models import LayerRight

    LayerRight.objects.create(layer="landuse_patch", secrecy=3)
    assert _here(signed_in("reader"), changed) == {"patch": "", "history": [], "projects": [], "alarms": []}


def test_alarms_are_closed_with_the_layer_of_the_detection(changed, signed_in):
    from qianmo.web.models import LayerRight

    LayerRight.objects.create(layer="change_parcel", secrecy=3)
    told = _here(signed_in("reader"), changed)
    assert told["history"] and told["alarms"] == []


@pytest.mark.parametrize(("who", "address"), [
    ("reader", "/tables/catalogue.xlsx"), ("reader", "/layers/landuse_patch/columns.xlsx"), ("reader", "/lines/lines.xlsx"), ("planner", "/tasks/tasks.xlsx"), ("planner", "/imports/imports.xlsx"),
    ("planner", "/undo/versions.xlsx"), ("manager", "/people/people.xlsx"),
])  # fmt: skip
def test_every_list_of_the_desk_goes_to_excel(people, signed_in, who, address):
    import io

    import openpyxl

    answer = signed_in(who).get(address)
    book = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert answer.status_code == 200 and book.max_row >= 2 and f'href="{address}"' in signed_in(who).get(_page_of(address)).content.decode() + _empty(address)


def _page_of(address: str) -> str:
    folder = address.rsplit("/", 1)[0] + "/"
    return "/" if folder == "/tables/" else folder


def _empty(address: str) -> str:
    """Lists without rows show no table, and so no file."""
    return f'href="{address}"' if address.startswith(("/lines/", "/tasks/", "/imports/")) else ""


def test_a_secret_dataset_is_not_in_the_file_of_the_catalogue(people, signed_in):
    from qianmo.web.models import LayerRight

    LayerRight.objects.create(layer="village", secrecy=3)
    import io

    import openpyxl

    cells = [c.value for r in openpyxl.load_workbook(io.BytesIO(signed_in("planner").get("/tables/catalogue.xlsx").content)).active.iter_rows() for c in r]
    assert "landuse_patch" in cells and "village" not in cells
