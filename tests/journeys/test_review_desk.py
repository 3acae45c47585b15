"""A joint review in a real browser: three departments, a return, a delegated signature, a meeting, the decision."""

from __future__ import annotations

import importlib.util
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.registry import job_spec
from qianmo.jobs.review.opened import open_review
from qianmo.jobs.spec import checked_values

REPO = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("desk_browser", REPO / "tests" / "web" / "browser.py")
browser_of = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(browser_of)

PASSWORD = browser_of.PASSWORD
PEOPLE = {"shen": ("沈文清", "游乌镇"), "mi": ("米书平", "联席办"), "zi": ("赵自强", "自然资源"), "ran": ("冉秋", "自然资源"), "nong": ("农春生", "农业农村"), "sheng": ("盛明泰", "生态环境"),
          "xian": ("谢远", "县政府")}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    browser_of.needed()
    folder = tmp_path_factory.mktemp("journey") / "项目 联审"
    context = Context(user="测试", clock=lambda: datetime(2026, 11, 2, 1, tzinfo=UTC))
    steps = (("village", {"into": str(folder), "patches": 300, "villages": 3}), ("evaluate", {"project": str(folder)}), ("plan", {"project": str(folder)}))
    for job, values in steps:
        job_spec(job).run(context, checked_values(job_spec(job), values))
    return folder


@pytest.fixture(scope="module")
def home(project):
    with browser_of.served(project) as (home, _first, _process):
        _accounts(project)
        yield home


@pytest.fixture(scope="module")
def chromium(home):
    with browser_of.launched() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def screens(home, chromium):
    """Gives the screen of a person, signed in; what is asked of another origin and every fault of a page is kept."""
    opened, faults = {}, []

    def screen(name: str):
        if name not in opened:
            context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
            page = context.new_page()
            page.on("request", lambda r: None if r.url.startswith((home, "blob:", "data:")) else faults.append(r.url))
            page.on("pageerror", lambda fault: faults.append(str(fault)))
            page.goto(home + "accounts/login/")
            page.fill("[name=login]", name)
            page.fill("[name=password]", PASSWORD)
            page.click("main button")
            page.wait_for_url(lambda address: "/accounts/login" not in address)
            opened[name] = page
        return opened[name]

    screen.faults = faults
    yield screen
    for page in opened.values():
        page.context.close()


def _accounts(project: Path) -> None:
    from django.contrib.auth.hashers import Argon2PasswordHasher

    hasher = Argon2PasswordHasher()
    kept = hasher.encode(PASSWORD, hasher.salt())
    rows = [(name, kept, called, "planner" if name == "shen" else "reviewer", department) for name, (called, department) in PEOPLE.items()]
    with sqlite3.connect(project / "desk.sqlite3", timeout=20) as base:
        base.executemany(
            "INSERT INTO desk_person (username, password, first_name, last_name, email, role, region, department, clearance, is_active, is_staff, is_superuser, date_joined) "
            "VALUES (?, ?, ?, '', '', ?, '', ?, 1, 1, 0, 0, '2026-01-01')", rows,
        )  # fmt: skip


def _shot(page, name: str, *, full: bool = True) -> None:
    browser_of.shot(page, f"review-{name}", full_page=full)


def _move(page, home: str, verb: str, review: str = "2026-01", **fields: str) -> None:
    """Open the page of a move by its button, fill it in, confirm, and read that it was recorded."""
    page.goto(home + f"reviews/{review}/")
    assert page.locator(f'main a[href$="/do/{verb}/"]').count(), page.inner_text("main")
    page.click(f'main a[href$="/do/{verb}/"]')
    for name, value in fields.items():
        field = page.locator(f"[name={name}]")
        field.wait_for()
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    _send(page)


def _send(page) -> None:
    """Confirm, and wait until the page says that it was recorded: what is counted or listed next is then of the new page."""
    page.click("main button.strong")
    assert page.locator(".note[role=status]").inner_text().startswith("已记录"), page.inner_text("main")


def _sign(page, home: str, department: str, result: str, *, shot: str = "", review: str = "2026-01", **more: str) -> None:
    """Go through the checklist, look at what would be signed, sign."""
    page.goto(home + f"reviews/{review}/")
    page.click(".buttons a.strong")
    page.locator("[name=result]").first.wait_for()  # a list of all answers does not wait for the page by itself
    for answer in page.locator("select[name^=answer-]").all():
        if not answer.input_value():
            answer.select_option("na")
            item = (answer.get_attribute("name") or "").removeprefix("answer-")
            page.fill(f"[name=reason-{item}]", "已核对材料")
        elif answer.input_value() in ("reject", "condition") and result != "reject":
            answer.select_option("condition" if result == "condition" else "na")
    page.check(f"[name=result][value={result}]")
    for name, value in more.items():
        page.fill(f"#{name}", value)
    if shot:
        _shot(page, f"points-{shot}")
    page.click("main form button.strong")
    if shot:
        _shot(page, f"sign-{shot}")
    page.get_by_role("button", name="签署", exact=True).click()
    assert page.locator(".note[role=status]").inner_text().startswith("已记录"), page.inner_text("main")


def _submit(page, name: str) -> None:
    """On the page of a draft: wait for the look, read it, say yes, wait for the review."""
    page.locator("button[value=confirm]").wait_for(timeout=60_000)
    _shot(page, name)
    assert not browser_of.has_axe() or not browser_of.serious(page)
    page.click("button[value=confirm]")
    page.wait_for_url(lambda address: address.endswith("/reviews/2026-01/"), timeout=60_000)


def test_the_town_opens_a_review_in_the_browser(project, home, screens):
    shen = screens("shen")
    shen.goto(home + "reviews/")
    shen.click('main a[href$="/review-new/"]')
    shen.fill("[name=review]", "2026-01")
    shen.select_option("[name=secretary]", "mi")
    shen.select_option("[name=issuer]", "xian")
    shen.check("input[value=zi]")
    _shot(shen, "new")
    assert not browser_of.has_axe() or not browser_of.serious(shen)
    shen.set_viewport_size({"width": 390, "height": 844})
    assert shen.evaluate("document.documentElement.scrollWidth") <= 390
    _shot(shen, "phone-new")
    shen.set_viewport_size({"width": 1280, "height": 900})
    shen.click("main button.strong")
    shen.locator("button[value=confirm]").wait_for(timeout=60_000)
    shen.set_viewport_size({"width": 390, "height": 844})
    assert shen.evaluate("document.documentElement.scrollWidth") <= 390
    _shot(shen, "phone-draft")
    shen.set_viewport_size({"width": 1280, "height": 900})
    _submit(shen, "draft")
    state = open_review({"project": project}).state
    assert state.phase == "SUBMITTED" and {i: (p.name, p.role) for i, p in state.roster.items()}["mi"] == ("米书平", "secretary"), state.roster


def test_three_departments_a_return_and_a_delegated_signature_lead_to_a_decision(project, home, screens, tmp_path):
    mi = screens("mi")
    _move(mi, home, "accept")
    mi.goto(home + "reviews/2026-01/do/distribute/")
    _shot(mi, "distribute")
    _move(mi, home, "distribute", person_0="zi")
    _move(screens("nong"), home, "return", reason="缺公示照片")
    shen = screens("shen")
    photo = tmp_path / "公示照片.txt"
    photo.write_text("照片", encoding="utf-8")
    shen.goto(home + "reviews/")
    assert "修改复核" in shen.inner_text("main")
    shen.click("text=2026-01")
    shen.click('main a[href$="/do/resubmit/"]')
    shen.fill("[name=reason]", "已补公示照片")
    shen.set_input_files("[name=documents]", str(photo))
    _shot(shen, "resubmit")
    shen.click("main button.strong")
    _submit(shen, "draft-changed")
    assert "公示照片.txt" in shen.inner_text("main")
    _move(screens("zi"), home, "delegate", to="ran", until="2027-12-31", reason="出差")
    ran = screens("ran")
    ran.goto(home + "reviews/")
    _shot(ran, "inbox")
    _sign(ran, home, "自然资源", "pass", shot="delegate")
    _sign(screens("nong"), home, "农业农村", "condition", shot="condition", reason="质量评定不全", conditions="补充耕地质量评定", due="2027-05-01")
    _shot(screens("nong"), "halfway")
    _sign(screens("sheng"), home, "生态环境", "pass")
    _sign(mi, home, "联席办", "pass", shot="office")
    _move(mi, home, "convene", more="后续管护资金安排")
    for name in ("ran", "zi", "nong", "sheng"):
        page = screens(name)
        page.goto(home + "reviews/2026-01/meeting/")
        if not page.locator('a[href$="/do/attend/"]').count():
            continue
        page.click('a[href$="/do/attend/"]')
        _send(page)
        while page.locator('main a[href$="/do/vote/"]').count():
            page.click('main a[href$="/do/vote/"]')
            page.locator("[name=item]").wait_for()
            options = page.locator("[name=item] option").evaluate_all("os => os.map(o => o.value).filter(v => v)")
            page.select_option("[name=item]", options[0])
            page.check("[name=choice][value=yes]")
            _send(page)
    _shot(screens("zi"), "meeting")
    _move(mi, home, "close_meeting", minutes="议定: 有条件通过。", text_1="落实管护资金", owner_1="农业农村", due_1="2027-06-01")
    _move(screens("xian"), home, "decide")
    xian = screens("xian")
    _shot(xian, "decided")
    with xian.expect_download() as waiting:
        xian.click('a[href$="/decision/pdf/"]')
    target = browser_of.SHOTS.parent / "review-decision.pdf"
    waiting.value.save_as(target)
    assert target.read_bytes().startswith(b"%PDF")
    state = open_review({"project": project}).state
    assert (state.phase, state.round, state.outcome) == ("DONE", 2, "condition")
    assert [(o.person, o.on_behalf_of) for o in state.opinions] == [("ran", "zi"), ("nong", ""), ("sheng", ""), ("mi", "")]
    assert not screens.faults


def _opened(project: Path, folder: Path, name: str) -> None:
    """A further review of the project, submitted by the command."""
    roles = {"shen": "applicant", "mi": "secretary", "xian": "issuer"}
    persons = "".join(f'[[person]]\nid = "{i}"\nname = "{n}"\ndepartment = "{d}"\nrole = "{roles.get(i, "officer")}"\n' for i, (n, d) in PEOPLE.items())
    roster = folder / f"{name}.toml"
    roster.write_text(f'id = "{name}"\napplicant = "shen"\n{persons}', encoding="utf-8")
    job_spec("review-open").run(Context(user="测试"), checked_values(job_spec("review-open"), {"project": str(project), "file": str(roster)}))


def test_every_other_move_of_an_office_is_pressed_in_the_browser(project, home, screens, tmp_path):
    """转办 委托收回 加签 减签 催办 抄送 挂起 恢复 撤回意见 退回环节 回避 报告整改 核销 作废 撤回申请, and 依次 with 票签 behind it."""
    name = "2026-02"
    _opened(project, tmp_path, name)
    mi, zi, ran, nong, sheng, shen = (screens(who) for who in ("mi", "zi", "ran", "nong", "sheng", "shen"))

    def state():
        return open_review({"project": project, "review": name}).state

    _move(mi, home, "accept", name)
    _move(mi, home, "distribute", name, mode_1="sequence", person_0="zi", mode_2="vote", group_2="2")
    assert [(g.mode, [s.department for s in g.seats]) for g in state().groups] == [("sequence", ["自然资源", "农业农村"]), ("vote", ["生态环境"]), ("all", ["联席办"])]
    _move(zi, home, "transfer", name, to="ran", reason="分工调整")
    _move(ran, home, "add_sign", name, person="zi", where="before", reason="请先核")
    _move(ran, home, "drop_sign", name, reason="不必")
    _move(mi, home, "urge", name)
    _move(mi, home, "copy", name, to="xian")
    _move(mi, home, "suspend", name, reason="等候省级批复")
    ran.goto(home + f"reviews/{name}/")
    assert "已挂起" in ran.inner_text(".phase") and not ran.locator('main a[href*="/points/"].strong').count()
    _move(mi, home, "resume", name)
    _sign(ran, home, "自然资源", "pass", review=name)
    _move(ran, home, "take_back", name)
    _sign(ran, home, "自然资源", "pass", review=name)
    _sign(nong, home, "农业农村", "condition", review=name, reason="质量评定不全", conditions="补充耕地质量评定", due="2027-05-01")
    _move(mi, home, "return", name, to="departments", reason="重新签署")
    assert {o.standing for o in state().opinions} == {"taken_back", "superseded"}
    _sign(ran, home, "自然资源", "pass", review=name)
    _sign(nong, home, "农业农村", "condition", review=name, reason="质量评定不全", conditions="补充耕地质量评定", due="2027-05-01")
    _sign(sheng, home, "生态环境", "pass", review=name)
    _sign(mi, home, "联席办", "pass", review=name)
    _move(mi, home, "convene", name)
    _move(nong, home, "recuse", name, item="package", reason="亲属任职于施工单位")
    task = next(t for t in state().tasks if t.standing == "open")
    _move(shen, home, "report_task", name, task=task.id)
    _move(nong, home, "close_task", name, task=task.id)
    assert next(t for t in state().tasks if t.id == task.id).standing == "closed"
    _shot(mi, "every-move")
    _move(mi, home, "void", name, reason="重复申报")
    mi.goto(home + f"reviews/{name}/")
    assert state().phase == "VOIDED" and not mi.locator('main a[href*="/do/"]').count()
    _opened(project, tmp_path, "2026-03")
    _move(shen, home, "withdraw", "2026-03", reason="另行申报")
    assert open_review({"project": project, "review": "2026-03"}).state.phase == "WITHDRAWN" and not screens.faults


def test_every_page_of_a_review_is_free_of_serious_faults_of_access_and_fits_a_phone(home, screens):
    page = screens("mi")
    for name, address in (("list", "reviews/"), ("days", "review-days/"), ("state", "reviews/2026-01/"), ("meeting", "reviews/2026-01/meeting/"), ("points", "reviews/2026-01/points/农业农村/"),
                          ("copy", "reviews/2026-01/do/copy/")):  # fmt: skip
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(home + address)
        assert not browser_of.serious(page), address
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
        _shot(page, f"phone-{name}", full=False)
    _shot(page, "phone-copy")


def test_a_chip_opens_the_map_at_its_parcel(home, screens):
    page = screens("sheng")
    for department in ("生态环境", "自然资源", "农业农村", "林草", "水利"):
        page.goto(home + f"reviews/2026-01/points/{department}/")
        if page.locator(".chips a.chip").count():
            break
    page.locator(".chips a.chip").first.click()
    assert re.search(r"/map/#place=\d+\.\d+,\d+\.\d+,17$", page.url)

