"""Import in the browser: the quarantine, the four steps, the rights, hostile files."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import shutil
import struct
import sys
import zipfile
from pathlib import Path

import pytest

from qianmo.store.project import history

HERE = Path(__file__).resolve().parent


def _file(name: str, body: bytes) -> io.BytesIO:
    file = io.BytesIO(body)
    file.name = name
    return file


def _square(lon: float = 117.25, lat: float = 28.0, size: float = 0.002, **columns: object) -> dict:
    ring = [[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]
    return {"type": "Feature", "properties": columns, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def _collection(*features: dict) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}, ensure_ascii=False).encode()


REDLINE = _collection(_square(BSM="1", HXBM="H1", HXMC="东溪保护区", XZQDM="990101", MJ=43000.0))
SHAPELESS = b"name,value\na,1\nb,2\n"


@pytest.fixture
def looked(monkeypatch, desk):
    """Looks and imports run here, in this process, as soon as they are asked for; uploads are removed after it."""
    from qianmo.jobs.context import Context
    from qianmo.jobs.registry import job_spec
    from qianmo.jobs.spec import checked_values
    from qianmo.web.models import Task
    from qianmo.web.pages import imports
    from qianmo.web.run_job import own_paths

    def at_once(person, job, values):
        task = Task.objects.create(job=job, values=dict(values), person=person)
        spec = job_spec(job)
        report = spec.run(Context(user=person.username), checked_values(spec, {**values, **own_paths(spec, str(desk), values)}))
        Task.objects.filter(pk=task.pk).update(state="done", share=1.0, report={"lines": list(report.lines)})
        task.refresh_from_db()
        return task

    monkeypatch.setattr(imports, "ask", at_once)
    yield
    shutil.rmtree(desk / "uploads", ignore_errors=True)


@pytest.fixture
def queued(desk):
    """Uploads are removed after it; what is queued stays queued."""
    yield
    shutil.rmtree(desk / "uploads", ignore_errors=True)


def _sent(client, *files) -> str:
    answer = client.post("/imports/", {"files": list(files)})
    assert answer.status_code == 302, answer.content.decode()
    return answer.headers["Location"]


def _as_shown(text: str) -> dict[str, str]:
    """The answers that the form of a page holds, as a browser would send them."""
    values = {m[0]: "" for m in re.findall(r'<select name="([^"]+)"', text)}
    for name, inner in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        values[name] = chosen.group(1) if chosen else ""
    values |= dict(re.findall(r'<input type="text" name="([^"]+)" value="([^"]*)"', text))
    return values | dict.fromkeys(re.findall(r'<input type="checkbox" name="([^"]+)"[^>]* checked', text), "on")


def _step(client, home: str, step: int, **changed: str) -> str:
    """Send a step as it is shown, with some answers changed; the address that follows in the end."""
    page = client.get(f"{home}{step}/")
    assert page.status_code == 200, page
    answer = client.post(f"{home}{step}/", {**_as_shown(page.content.decode()), **changed})
    assert answer.status_code == 302, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))
    following = answer.headers["Location"]
    return client.get(following).headers["Location"] if following == home else following


def _shp_set(encoding: str, *, cpg: str = "", prj: str = "", shift: tuple[float, float] = (0.0, 0.0)) -> list[io.BytesIO]:
    """One land-use square as a shapefile set, its texts in an encoding."""
    x, y = 500_000 + shift[0], 3_000_000 + shift[1]
    ring = [(x, y), (x, y + 100), (x + 100, y + 100), (x + 100, y), (x, y)]
    body = struct.pack("<i4d2i", 5, x, y, x + 100, y + 100, 1, 5) + struct.pack("<i", 0) + b"".join(struct.pack("<2d", *p) for p in ring)
    box = struct.pack("<4d4d", x, y, x + 100, y + 100, 0, 0, 0, 0)
    head = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, (100 + 8 + len(body)) // 2) + struct.pack("<2i", 1000, 5) + box
    index = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, 54) + struct.pack("<2i", 1000, 5) + box + struct.pack(">2i", 50, len(body) // 2)
    fields = (("BSM", 18), ("DLBM", 5), ("DLMC", 30), ("ZLDWDM", 19), ("ZLDWMC", 60))
    values = ("990101000000000001", "0101", "水田", "9901011002010000000", "东溪村民委员会")
    row = b" " + b"".join(v.encode(encoding).ljust(n)[:n] for v, (_, n) in zip(values, fields, strict=True))
    table = struct.pack("<4BI2H20x", 3, 126, 1, 2, 1, 33 + 32 * len(fields), len(row))
    table += b"".join(n.encode().ljust(11, b"\0") + b"C" + struct.pack("<4x2B14x", size, 0) for n, size in fields) + b"\r" + row + b"\x1a"
    parts = [("DLTB.shp", head + struct.pack(">2i", 1, len(body) // 2) + body), ("DLTB.shx", index), ("DLTB.dbf", table)]
    return [_file(n, b) for n, b in (*parts, *((("DLTB.cpg", cpg.encode()),) if cpg else ()), *((("DLTB.prj", prj.encode()),) if prj else ()))]


class TestUpload:
    def test_files_come_in_whole_and_wait_apart_from_the_project(self, signed_in, queued, desk):
        client, before = signed_in("planner"), len(history(desk))
        home = _sent(client, _file("红线.geojson", REDLINE))
        number = home.strip("/").split("/")[1]
        assert (desk / "uploads" / number / "upload" / "红线.geojson").read_bytes() == REDLINE
        assert len(history(desk)) == before and "红线.geojson" in client.get("/imports/").content.decode()

    def test_a_page_that_asks_for_data_gets_the_next_address(self, signed_in, queued):
        answer = signed_in("planner").post("/imports/", {"files": [_file("a.geojson", REDLINE)]}, headers={"accept": "application/json"})
        assert re.fullmatch(r"/imports/[0-9a-f-]{36}/", answer.json()["next"])

    def test_nothing_sent_is_told_and_nothing_is_kept(self, signed_in, queued, desk):
        answer = signed_in("planner").post("/imports/", {})
        assert answer.status_code == 422 and "没有选择文件" in answer.content.decode()
        assert not list((desk / "uploads").glob("*"))

    @pytest.mark.parametrize("name", ["con\x07trol.csv", "a\u202egpj.csv", ".hidden.csv", "x" * 300 + ".csv", "CON.csv", "a:b.csv"])
    def test_a_name_that_cannot_be_kept_is_refused_or_kept_inside(self, signed_in, queued, desk, name):
        answer = signed_in("planner").post("/imports/", {"files": [_file(name, SHAPELESS)]})
        assert answer.status_code in (302, 400, 415, 422), answer.content.decode()
        assert not list((desk / "uploads").glob(".half-*"))
        assert all(p.resolve().is_relative_to((desk / "uploads").resolve()) for p in (desk / "uploads").rglob("*"))

    def test_a_path_in_a_name_leads_nowhere(self, signed_in, queued, desk):
        body = b'--B\r\nContent-Disposition: form-data; name="files"; filename="../../../evil.csv"\r\n\r\na,b\r\n1,2\r\n--B--\r\n'
        signed_in("planner").post("/imports/", body, content_type="multipart/form-data; boundary=B")
        found = list(desk.parent.rglob("evil.csv"))
        assert all((desk / "uploads").resolve() in p.resolve().parents for p in found)

    def test_two_files_of_one_name_are_refused(self, signed_in, queued, desk):
        answer = signed_in("planner").post("/imports/", {"files": [_file("a.csv", SHAPELESS), _file("A.csv", SHAPELESS)]})
        assert answer.status_code == 415 and "同名" in answer.content.decode()
        assert not list((desk / "uploads").glob("*"))

    def test_what_is_too_large_is_refused_before_it_is_read_and_while_it_comes(self, signed_in, queued, desk, monkeypatch):
        from qianmo.store.guard_limits import default_limits
        from qianmo.web import upload_stream

        small = default_limits({"guard_file_max_mb": 1})
        half = type(upload_stream.begin_upload(desk))
        monkeypatch.setattr(upload_stream, "begin_upload", lambda project, **_: half(project, small))
        answer = signed_in("planner").post("/imports/", {"files": [_file("a.csv", b"1" * (2 << 20))]})
        assert answer.status_code == 415 and "不超过 1 MB" in answer.content.decode()
        monkeypatch.setattr(upload_stream.QuarantineHandler, "handle_raw_input", lambda *a, **k: None)
        answer = signed_in("planner").post("/imports/", {"files": [_file("a.csv", b"1" * (2 << 20))]})
        assert answer.status_code == 415
        assert [p.name for p in (desk / "uploads").glob("*")] in ([], [x.name for x in (desk / "uploads").glob(".half-*")])

    def test_a_full_disk_is_told_and_nothing_stays(self, signed_in, queued, desk, monkeypatch):
        import errno

        from qianmo.store import quarantine

        def full(*_args, **_named):
            raise OSError(errno.ENOSPC, "no space")

        monkeypatch.setattr(quarantine, "sync_tree", full)
        answer = signed_in("planner").post("/imports/", {"files": [_file("a.csv", SHAPELESS)]})
        assert answer.status_code == 409 and "磁盘已满" in answer.content.decode()
        assert not list((desk / "uploads").glob("*"))

    def test_a_form_without_its_token_keeps_nothing(self, people, queued, desk):
        from django.test import Client

        client = Client(enforce_csrf_checks=True)
        client.force_login(people["planner"], backend="allauth.account.auth_backends.AuthenticationBackend")
        assert client.post("/imports/", {"files": [_file("a.csv", SHAPELESS)]}).status_code == 403
        assert not list((desk / "uploads").glob("*"))

    def test_nobody_sends_a_byte_without_the_right(self, signed_in, queued, desk):
        assert signed_in("reader").post("/imports/", {"files": [_file("a.csv", SHAPELESS)]}).status_code == 403
        assert not (desk / "uploads").exists() or not list((desk / "uploads").glob("*"))

    def test_what_was_broken_off_is_gone_after_the_next_start(self, signed_in, queued, desk):
        from qianmo.jobs.queries.uploads import begin_upload, broken_off, uploads

        half = begin_upload(desk)
        half.begin("a.shp")
        half.add(b"0" * 1000)
        assert uploads(desk) == [] and half.number not in signed_in("planner").get("/imports/").content.decode()
        assert broken_off(desk) == 1 and not list((desk / "uploads").glob("*"))

    def test_an_upload_that_is_removed_is_gone(self, signed_in, queued, desk):
        client = signed_in("planner")
        home = _sent(client, _file("a.geojson", REDLINE))
        assert client.get(f"{home}remove/").status_code == 405
        assert client.post(f"{home}remove/").status_code == 302
        assert client.get(home).status_code == 404 and not list((desk / "uploads").glob("*"))


class TestSteps:
    def test_nothing_is_written_before_the_last_step(self, signed_in, looked, desk):
        client, before = signed_in("planner"), len(history(desk))
        home = _sent(client, _file("生态保护红线.geojson", REDLINE))
        assert client.get(home).headers["Location"] == f"{home}1/"
        for step in (1, 2, 3):
            assert _step(client, home, step).endswith(f"/{step + 1}/")
            assert len(history(desk)) == before
        text = client.get(f"{home}4/").content.decode()
        assert "生态保护红线" in text and "将被替换" in text
        assert client.post(f"{home}4/").headers["Location"] == home
        assert len(history(desk)) == before + 1 and "eco_redline" in client.get(home).content.decode()
        assert "东溪保护区" in client.get("/layers/eco_redline/1/").content.decode()

    def test_an_encoding_that_is_not_clear_is_asked_with_the_texts_as_each_would_read(self, signed_in, looked, monkeypatch):
        from qianmo.jobs.ingest import read as ingest_read
        from qianmo.schema.dataset import Decision

        clear = ingest_read.detect_encoding
        monkeypatch.setattr(ingest_read, "detect_encoding", lambda *a, **k: Decision("编码", "", clear(*a, **k).candidates))
        client = signed_in("planner")
        home = _sent(client, *_shp_set("gb18030"))
        assert client.get(home).headers["Location"] == f"{home}1/"
        page = client.get(f"{home}1/").content.decode()
        assert "东溪村民委员会" in page and "文本编码不明" in page and "请选择" in page
        assert client.post(f"{home}1/", {}).status_code == 422
        assert client.get(f"{home}2/").status_code == 200
        assert _step(client, home, 1, **{"s0-encoding": "gb18030"}) == f"{home}2/"

    def test_a_place_that_is_not_clear_is_asked_with_a_map_and_the_answer_moves_on(self, signed_in, looked):
        client = signed_in("planner")
        home = _sent(client, *_shp_set("utf-8", cpg="UTF-8"))
        page = client.get(f"{home}2/").content.decode()
        assert "坐标系不明" in page and '<svg class="sketch"' in page and page.count('class="candidate') > 1 and "style=" not in page
        assert client.post(f"{home}2/", {}).status_code == 422
        assert _step(client, home, 1, **{"l0-class_scheme": "SD3"}) == f"{home}2/"
        assert _step(client, home, 2, **{"l0-crs_other": "EPSG:4548"}) == f"{home}3/"

    def test_a_wrong_reference_system_is_told_at_its_step(self, signed_in, looked):
        client = signed_in("planner")
        home = _sent(client, *_shp_set("utf-8", cpg="UTF-8"))
        assert _step(client, home, 2, **{"l0-crs_other": "EPSG:999999"}) == f"{home}2/"
        assert "不是已知的坐标系" in client.get(f"{home}2/").content.decode()
        answer = client.post(f"{home}2/", {"county": "990101", "helmert": "viel", "l0-crs": "", "l0-datum": "CGCS2000"})
        assert answer.status_code == 422 and "Traceback" not in answer.content.decode()

    def test_a_field_that_is_missing_is_filled_from_one_that_is_there(self, signed_in, looked, desk):
        client = signed_in("planner")
        body = _collection(_square(编号="7", 名称="西山保护区", 单位代码="990101", 面积甲=43000.0))
        home = _sent(client, _file("生态红线.geojson", body))
        _step(client, home, 1, **{"l0-table": "eco_redline"})
        page = client.get(f"{home}3/")
        look = json.loads((desk / "uploads" / home.strip("/").split("/")[1] / "look.json").read_text(encoding="utf-8"))
        row = look["layers"][0]
        assert row["missing"], "the names of the fields say nothing"
        number = next(k for k, t in enumerate(row["targets"]) if t["name"] == row["missing"][0])
        filled = {f"l0-f{k}": c for k, c in zip([k for k, t in enumerate(row["targets"]) if t["name"] in row["missing"]], row["columns"], strict=False)}
        assert "请选择" in page.content.decode() and f"l0-f{number}" in filled
        assert client.post(f"{home}3/", {}).status_code == 422
        assert _step(client, home, 3, **filled) == f"{home}4/"

    def test_faults_are_listed_with_rows_and_what_would_be_repaired(self, signed_in, looked):
        bad = _square(lon=117.26, BSM="2", HXBM="H2", HXMC="乙", MJ=43601.0)
        bad["geometry"]["coordinates"][0].insert(1, bad["geometry"]["coordinates"][0][0])
        client = signed_in("planner")
        home = _sent(client, _file("生态保护红线.geojson", _collection(_square(BSM="1", HXBM="H1", HXMC="甲", MJ=1.0), bad)))
        page = client.get(f"{home}3/").content.decode()
        assert "将要修复的内容" in page and "可修复" in page and re.search(r'<td class="code">1', page)

    def test_a_layer_left_out_stays_out(self, signed_in, looked, desk):
        client = signed_in("planner")
        home = _sent(client, _file("生态保护红线.geojson", REDLINE), _file("坏.geojson", b"{"))
        assert "坏.geojson" in client.get(f"{home}4/").content.decode() and client.post(f"{home}4/").status_code == 409
        assert _step(client, home, 1, **{"s0-skip": "on", "s1-skip": ""} if b"s0-skip" in client.get(f"{home}1/").content else {"s1-skip": "on"}) == f"{home}2/"
        assert client.post(f"{home}4/").status_code == 302

    def test_the_answers_are_a_recipe_that_the_command_reads(self, signed_in, looked, desk):
        from qianmo.jobs.recipe import recipe_from_file
        from qianmo.store.scratch import read_toml

        client = signed_in("planner")
        home = _sent(client, *_shp_set("utf-8", cpg="UTF-8"))
        _step(client, home, 2, **{"l0-crs_other": "EPSG:4548", "county": "990101"})
        folder = desk / "uploads" / home.strip("/").split("/")[1]
        recipe = recipe_from_file(read_toml(folder / "recipe.toml"), folder)
        assert recipe.county_code == "990101"
        assert recipe.sources[0].said_of("upload/DLTB.shp#DLTB").crs == "EPSG:4548"

    def test_pages_in_english_hold_no_chinese_of_the_program(self, signed_in, looked):
        client = signed_in("planner")
        home = _sent(client, _file("eco.geojson", _collection(_square(BSM="1", HXBM="H1", HXMC="a", MJ=43000.0))))
        client.post("/language/", {"language": "en", "next": "/"})
        for address in ("/imports/", *(f"{home}{k}/" for k in (1, 2, 3, 4))):
            words = re.sub(r"<[^>]+>", " ", re.sub(r'<[^>]*lang="zh-CN".*?</(ul|button|tbody)>|<title>.*?</title>|aria-hidden.*?</span>', "", client.get(address).content.decode(), flags=re.DOTALL))
            assert "下一步" not in words and "Import" in words


class TestRights:
    def test_an_upload_of_another_is_not_there(self, signed_in, queued, people):
        home = _sent(signed_in("manager"), _file("a.geojson", REDLINE))
        other = signed_in("planner")
        for address in (home, f"{home}1/", f"{home}4/"):
            assert other.get(address).status_code == 404
        assert other.post(f"{home}remove/").status_code == 404 and "a.geojson" not in other.get("/imports/").content.decode()

    def test_who_sees_one_region_or_not_the_layer_cannot_replace_it_whole(self, signed_in, looked, people, desk):
        from qianmo.web.models import LayerRight

        client, before = signed_in("planner"), len(history(desk))
        home = _sent(client, _file("生态保护红线.geojson", REDLINE))
        LayerRight.objects.create(layer="eco_redline", secrecy=3)
        assert client.post(f"{home}4/").status_code == 409
        LayerRight.objects.all().delete()
        people["planner"].region = "990101100201"
        people["planner"].save()
        assert client.post(f"{home}4/").status_code == 409 and len(history(desk)) == before


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> list[tuple[str, list[Path]]]:
    """Files of the torture corpus, each case with the files that would be chosen in a browser."""
    folder = HERE.parent / "store" / "torture"
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location("torture_corpus", folder / "make_corpus.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        root, found = tmp_path_factory.mktemp("hostile"), []
        for number, case in enumerate(module.corpus()):
            place = root / f"{number:03d}"
            place.mkdir()
            case.build(place)
            found.append((case.name, [p for p in sorted(place.rglob("*")) if p.is_file() and not p.is_symlink()]))
        return found
    finally:
        sys.path.remove(str(folder))


def test_every_hostile_file_ends_as_a_refusal_or_a_listed_fault(signed_in, queued, hostile, desk):
    """Each case is uploaded by itself; then all that came in is looked at together, as one upload would be."""
    from qianmo.jobs.context import Context
    from qianmo.jobs.ingest.look import look
    from qianmo.jobs.recipe import Recipe, SourceRecipe

    client, before = signed_in("planner"), len(history(desk))
    client.raise_request_exception = False
    came, numbers = [], []
    for name, files in hostile:
        small = [f for f in files if f.stat().st_size < (32 << 20)]
        answer = client.post("/imports/", {"files": [_file(f.name, f.read_bytes()) for f in small]})
        text = answer.content.decode()
        assert answer.status_code == 302 or 400 <= answer.status_code < 500, (name, answer.status_code)
        assert "Traceback" not in text, name
        if answer.status_code == 302:
            came.append(name)
            numbers.append(answer.headers["Location"].strip("/").split("/")[1])
    assert len(came) > 80 and not list((desk / "uploads").glob(".half-*"))
    sources = tuple(SourceRecipe(desk / "uploads" / n / "upload", each={"": {}}) for n in numbers)
    found = look(Context(), Recipe(sources), desk)
    errors = [r["error"] for r in (*found["sources"], *found["layers"]) if r["error"]]
    assert len(errors) > 60 and all(e["found"] and e["cure"] for e in errors), [e for e in errors if not e["cure"]]
    assert len(history(desk)) == before


def test_a_page_over_a_hostile_upload_lists_it_and_never_breaks(signed_in, looked, hostile):
    client = signed_in("planner")
    client.raise_request_exception = False
    for name, files in hostile[:: max(1, len(hostile) // 4)]:
        answer = client.post("/imports/", {"files": [_file(f.name, f.read_bytes()) for f in files if f.stat().st_size < (8 << 20)]})
        assert answer.status_code < 500, name
        if answer.status_code == 302:
            home = answer.headers["Location"]
            for address in (home, *(f"{home}{k}/" for k in (1, 2, 3, 4))):
                page = client.get(address)
                assert page.status_code in (200, 302) and "Traceback" not in page.content.decode(), (name, address)
            assert client.post(f"{home}4/").status_code in (302, 409), name


def test_a_zip_bomb_is_a_listed_fault(signed_in, looked):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.csv", b"0" * (40 << 20))
    client = signed_in("planner")
    home = _sent(client, _file("a.zip", packed.getvalue()))
    assert 'role="alert"' in client.get(f"{home}1/").content.decode()
    assert client.post(f"{home}4/").status_code == 409
