"""Machine-readable output, and interruptions as answers."""

import json
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest

from qianmo.cli.interrupt import caught_interrupts
from qianmo.cli.main import main
from qianmo.cli.report_json import error_json, report_json
from qianmo.jobs.context import Context
from qianmo.jobs.searching import Searching, gap_of, limits_of_search, teller
from qianmo.jobs.spec import JobReport
from qianmo.planning.planted import planted_problem
from qianmo.schema.errors import ChoiceNeededError, InfeasibleError, SchemaError


def test_a_report_is_one_object_without_numbers_that_json_lacks():
    figures = {"gap": np.float64(0.5), "bound": float("inf"), "weights": np.array([1.0, np.nan]), "n": np.int64(3), "stopped": np.bool_(True)}
    said = json.loads(report_json("plan", JobReport(("一行",), (("a.png", "图"),), figures), ["注意"]))
    assert said["figures"] == {"gap": 0.5, "bound": None, "weights": [1.0, None], "n": 3, "stopped": True}
    assert said["files"] == [{"path": "a.png", "what": "图"}] and said["lines"] == ["一行"] and said["notes"] == ["注意"] and said["ok"]


def test_an_error_says_its_kind_and_what_goes_with_it():
    choice = json.loads(error_json("ingest", ChoiceNeededError("x", choices=["a", "b"]), 3))
    assert choice["error"]["choices"] == ["a", "b"] and choice["exit_code"] == 3 and not choice["ok"]
    conflict = json.loads(error_json("plan", InfeasibleError("x", conflict=["Z-01"]), 4))
    assert conflict["error"]["conflict"] == ["Z-01"]
    assert json.loads(error_json("plan", KeyboardInterrupt(), 130))["error"]["kind"] == "KeyboardInterrupt"


def test_every_command_takes_json(capsys, tmp_path):
    assert main(["history", "--json", str(tmp_path / "none")]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "MissingDataError"


def test_the_first_interrupt_is_an_answer_and_the_second_ends():
    before = signal.getsignal(signal.SIGINT)
    with caught_interrupts() as asked:
        assert not asked()
        signal.raise_signal(signal.SIGINT)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_nothing_is_caught():
    heard = []

    def work():
        with caught_interrupts() as asked:
            heard.append(asked())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert heard == [False]


def test_a_search_tells_and_gives_the_plan_of_the_solver():
    problem, planted, score = planted_problem(6, 6, rng=np.random.default_rng(0))
    ticks = iter(np.arange(0, 1e6, 0.5))
    search = Searching(1e-6, 10.0, lambda: float(next(ticks)), lambda gap, share: None, lambda: False)
    found = search(problem)
    assert found.objective == pytest.approx(score) and gap_of(found) <= 1e-6 and not search.stopped
    wrong = replace(problem, limits=tuple(replace(x, bound=-1e9) if x.relation == "<=" else x for x in problem.limits))
    with pytest.raises(InfeasibleError):
        search(wrong)


def test_progress_says_gap_and_time_left_and_never_goes_back():
    said = []
    context = Context(progress=lambda step, share: said.append((step, share)))
    clock = iter([0.0, 5.0, 5.2, 9.0])
    tell = teller(context, "求解", 20.0, lambda: next(clock), low=0.2, high=0.6)
    tell(1.0, 0.0)
    tell(0.01, 0.25)
    tell(0.009, 0.26)
    tell(0.005, 0.5)
    assert [s for s, _ in said] == ["求解 · 尚无方案 · 余 20 秒", "求解 · 差距 1.000% · 余 15 秒", "求解 · 差距 0.500% · 余 10 秒"]
    assert [x for _, x in said] == pytest.approx([0.2, 0.3, 0.4])


def test_gap_and_seconds_have_limits():
    assert limits_of_search(None, 5, default_gap=0.1, default_seconds=9) == (0.1, 5.0)
    for gap, seconds in ((-0.1, 5), (1.5, 5), (float("nan"), 5), (0.1, 0), (0.1, float("inf")), (0.1, float("nan"))):
        with pytest.raises(SchemaError):
            limits_of_search(gap, seconds, default_gap=0.1, default_seconds=9)
