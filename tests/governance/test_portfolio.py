"""Money over years: carry-over, earmarks, order, floors; what the recount sees; conflicts in words."""

from dataclasses import replace

import numpy as np
import pytest

from qianmo.governance.portfolio.by_rank import year_plan_by_rank
from qianmo.governance.portfolio.make_instance import made_portfolio
from qianmo.governance.portfolio.problem import (
    Candidate,
    Floor,
    Need,
    Precedence,
    Prices,
    Problem,
    Supply,
    check_problem,
    value_of,
)
from qianmo.governance.portfolio.replay import price_bound, replay
from qianmo.governance.portfolio.solve import solve_portfolio
from qianmo.schema.errors import InfeasibleError, SchemaError

COUNTY = frozenset({"县级"})


def project(i, fen, years=(2026, 2027), *, value=10, funds=COUNTY, must=False, region="东"):
    return Candidate(i, f"{i}项目", region, dict.fromkeys(years, value), (Need(0, funds, fen),), 1, must)


def county(first, second, carry=0):
    return (Supply("县级", 2026, 2026 + carry, first), Supply("县级", 2027, 2027, second))


def test_money_that_is_carried_over_pays_a_project_no_single_year_could():
    apart = Problem(2026, 2027, (project("A", 150),), county(100, 100))
    together = replace(apart, supplies=county(100, 100, carry=1))
    assert solve_portfolio(apart).starts == {}
    found = solve_portfolio(together)
    assert found.starts == {"A": 2027} and found.payments == (("A", "县级", 2027, 150),)
    first, second = replay(together, found).balances
    assert (first.closing, first.lapsed) == (100, 0) and (second.opening, second.paid, second.closing, second.lapsed) == (100, 150, 0, 50)


def test_an_earmarked_fund_does_not_pay_for_others():
    supplies = (Supply("省级", 2026, 2026, 1000), Supply("县级", 2026, 2026, 50))
    problem = Problem(2026, 2026, (project("A", 100, (2026,)), project("B", 100, (2026,), funds=frozenset({"省级", "县级"}))), supplies)
    assert set(solve_portfolio(problem).starts) == {"B"}


def test_a_project_waits_until_the_one_before_is_finished_g_02():
    slow = Candidate("A", "A", "东", {2026: 10}, (Need(0, COUNTY, 5), Need(1, COUNTY, 5)), 2)
    later = Candidate("B", "B", "东", dict.fromkeys((2026, 2027, 2028), 10), (Need(0, COUNTY, 5),), 1)
    supplies = tuple(Supply("县级", y, y, 100) for y in (2026, 2027, 2028))
    found = solve_portfolio(Problem(2026, 2028, (slow, later), supplies, (), (Precedence("A", "B"),)))
    assert found.starts == {"A": 2026, "B": 2028}


def test_g_02_projects_above_the_budget_line_move_to_the_next_year():
    four = tuple(project(i, 60) for i in "ABCD")
    problem = Problem(2026, 2027, four, county(130, 70))
    assert year_plan_by_rank(problem, "ABCD") == {"A": 2026, "B": 2026, "C": 2027}


def test_a_floor_takes_money_to_a_region_that_would_get_none():
    two = (project("A", 100, value=90), project("B", 100, value=10, region="西"))
    problem = Problem(2026, 2027, two, county(100, 0))
    assert set(solve_portfolio(problem).starts) == {"A"}
    assert set(solve_portfolio(replace(problem, floors=(Floor("西", 2026, 2027, 80),))).starts) == {"B"}


def test_what_can_not_be_paid_is_told_with_the_fewest_conditions():
    problem = Problem(2026, 2027, (project("A", 100, must=True), project("B", 150, must=True), project("C", 10, must=True)), county(120, 100))
    with pytest.raises(InfeasibleError) as told:
        solve_portfolio(problem)
    assert len(told.value.conflict) == 2
    assert any("B" in c and "必须实施" in c for c in told.value.conflict) and any("资金 县级" in c for c in told.value.conflict)


def test_one_fen_too_little_is_too_little():
    fen = 10_000_000_000
    short = Problem(2026, 2026, (project("A", fen + 1, (2026,)), project("B", 5_000, (2026,))), county(fen, 0)[:1])
    found = solve_portfolio(short)
    assert set(found.starts) == {"B"} and replay(short, found).faults == ()
    exact = replace(short, candidates=(project("A", fen, (2026,), value=99), *short.candidates[1:]))
    assert set(solve_portfolio(exact).starts) == {"A"}
    with pytest.raises(InfeasibleError) as told:
        solve_portfolio(replace(short, candidates=(project("A", fen + 1, (2026,), must=True),)))
    assert any("资金 县级" in c for c in told.value.conflict)


def test_a_conflict_among_many_projects_is_cut_down_and_counted():
    many = tuple(project(f"P{n:03d}", 100 + n, must=n < 40, years=(2026,) if n % 2 else (2026, 2027)) for n in range(120))
    with pytest.raises(InfeasibleError) as told:
        solve_portfolio(Problem(2026, 2027, many, county(1500, 1500)))
    named = [c for c in told.value.conflict if "必须实施" in c]
    assert 20 <= len(named) <= 30 and f"{len(named)} 个必须实施的项目投资共" in told.value.found and any("资金 县级" in c for c in told.value.conflict)


def test_a_project_without_a_year_that_must_be_done_is_in_conflict_by_itself():
    with pytest.raises(InfeasibleError) as told:
        solve_portfolio(Problem(2026, 2027, (project("A", 1, (), must=True),), county(9, 9)))
    assert any("没有可开工的年份" in c for c in told.value.conflict)


def test_the_recount_sees_every_kind_of_tampering():
    problem = made_portfolio(40, 5, 3, rng=np.random.default_rng(4), order=0.3, must=0.15)
    found = solve_portfolio(problem, gap=0.02)
    assert replay(problem, found).faults == ()
    p, f, y, fen = found.payments[0]
    tampered = {
        "应付": replace(found, payments=((p, f, y, fen + 1), *found.payments[1:])),
        "不许用于": replace(found, payments=tuple((a, "无此资金", c, d) for a, _, c, d in found.payments)),
        "超支": replace(found, payments=tuple((a, f, c, d) for a, _, c, d in found.payments)),
        "必须实施": replace(found, starts={k: v for k, v in found.starts.items() if not next(c.must for c in problem.candidates if c.id == k)}),
        "不能在": replace(found, starts={**found.starts, p: 1999}),
        "不在库中": replace(found, starts={**found.starts, "X": 2026}),
    }
    assert any(c.must for c in problem.candidates)
    for word, wrong in tampered.items():
        assert any(word in fault for fault in replay(problem, wrong).faults), word


def test_every_balance_closes_and_the_money_that_arrives_is_the_money_of_the_funds():
    problem = made_portfolio(40, 5, 3, rng=np.random.default_rng(4))
    rows = replay(problem, solve_portfolio(problem, gap=0.02)).balances
    assert all(b.opening + b.arrived - b.paid - b.lapsed == b.closing >= 0 for b in rows) and any(b.paid and b.opening for b in rows)
    assert {(b.fund, b.year): b.arrived for b in rows} == {(s.fund, s.year): s.fen for s in problem.supplies}
    assert all(b.opening == a.closing for a, b in zip(rows, rows[1:]) if a.fund == b.fund)


@pytest.mark.parametrize("seed", range(5))
def test_no_prices_prove_less_than_a_portfolio_is_worth(seed):
    rng = np.random.default_rng(seed)
    problem = made_portfolio(30, 4, 2, rng=rng, order=0.2, regions=2)
    found = solve_portfolio(problem, gap=0.02)
    again = replay(problem, found)
    assert found.value <= again.bound and again.gap < 0.4 and again.faults == ()
    for scale in (0.0, 1e-6, 1e-5, 1e-3):
        prices = Prices(
            tuple(rng.random(len(problem.supplies)) * scale), tuple(rng.random(len(problem.floors)) * scale * 0.1),
            {(k, y): float(rng.random() * scale * 1e7) for k in range(len(problem.precedences)) for y in range(2026, 2030)},
        )  # fmt: skip
        assert price_bound(problem, prices) >= found.value


@pytest.mark.parametrize("seed", range(4))
def test_more_money_is_never_worse_and_the_clerks_plan_never_better(seed):
    problem = made_portfolio(18, 3, 2, rng=np.random.default_rng(seed), floors=False, must=0.0)
    found = solve_portfolio(problem, gap=0.0)
    richer = replace(problem, supplies=tuple(replace(s, fen=s.fen + s.fen // 5) for s in problem.supplies))
    assert solve_portfolio(richer, gap=0.0).value >= found.value
    assert value_of(problem, year_plan_by_rank(problem, [c.id for c in problem.candidates])) <= found.value


def test_a_problem_that_contradicts_itself_is_refused():
    good = Problem(2026, 2027, (project("A", 1), project("B", 1)), county(1, 1))
    wrong = [
        replace(good, candidates=(project("A", 1), project("A", 1))), replace(good, candidates=(project("A", 0),)),
        replace(good, candidates=(project("A", 1, (2030,)),)), replace(good, supplies=(Supply("县级", 2026, 2025, 1),)),
        replace(good, precedences=(Precedence("A", "X"),)), replace(good, precedences=(Precedence("A", "B"), Precedence("B", "A"))),
        replace(good, last_year=2025),
    ]  # fmt: skip
    check_problem(good)
    for problem in wrong:
        with pytest.raises(SchemaError):
            check_problem(problem)


def test_nothing_to_choose_from_is_an_empty_plan():
    found = solve_portfolio(Problem(2026, 2026, (), county(1, 1)[:1]))
    assert found.starts == {} and found.payments == () and found.gap == 0.0
