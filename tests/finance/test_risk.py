"""Risk of a project: draws, blocks, tables, sensitivity, break-even."""

from __future__ import annotations

import numpy as np
import pytest

from qianmo.finance.risk.break_even import break_even
from qianmo.finance.risk.correlation import checked_correlation, correlation_factor
from qianmo.finance.risk.draws import drawn_values
from qianmo.finance.risk.kernel import FIGURES
from qianmo.finance.risk.mapping import risk_model_from
from qianmo.finance.risk.marginals import Marginal, marginal_from, quantiles
from qianmo.finance.risk.model import RiskInput, RiskModel
from qianmo.finance.risk.sensitivity import spider, tornado
from qianmo.finance.risk.simulate import evaluate, evaluate_yearly, simulate
from qianmo.finance.risk.sobol import sobol_table
from qianmo.finance.risk.tables import chance_table, coverage_fan, percentile_table
from qianmo.schema.errors import SchemaError

GIVEN = {
    "years": 20, "operation_year": 3, "discount_rate": 0.06,
    "input": [
        {"name": "price", "zh": "指标价格", "kind": "lognormal", "median": 1.0, "log_deviation": 0.2},
        {"name": "accepted", "zh": "验收比例", "kind": "triangular", "low": 0.6, "mode": 0.95, "high": 1.0},
        {"name": "delay", "zh": "验收推迟", "effect": "delay_months", "unit": "月", "kind": "discrete", "values": [0, 6, 18], "chances": [0.5, 0.3, 0.2]},
        {"name": "sales", "zh": "产业收入", "kind": "normal", "mean": 1.0, "deviation": 0.1},
        {"name": "works", "zh": "工程投资", "kind": "empirical", "values": [0.95, 1.0, 1.02, 1.1, 1.3]},
        {"name": "shift", "zh": "利率变动", "effect": "rate_shift", "kind": "uniform", "low": -0.005, "high": 0.01},
    ],
    "line": [
        {"name": "restoration", "nature": "capital", "amount_yuan": {"1-2": 5e7}, "vat_rate": 0.09, "drivers": ["works"], "is_restoration": True, "life_years": 18},
        {"name": "plant", "nature": "capital", "amount_yuan": {"1-2": 4e7}, "vat_rate": 0.13, "life_years": 18, "salvage_share": 0.05},
        {"name": "quota", "nature": "income", "amount_yuan": {"3": 6e7}, "drivers": ["price", "accepted"], "delay": "delay"},
        {"name": "sales", "nature": "income", "amount_yuan": {"3-20": 2.8e7}, "vat_rate": 0.06, "drivers": ["sales"]},
        {"name": "running", "nature": "cost", "amount_yuan": {"3-20": 1e7}, "vat_rate": 0.06},
    ],
    "taxes": {"surcharge_rate": 0.12, "income_rate": 0.25, "free_years": 3, "half_years": 3},
    "loan": {"first_year": 3, "last_year": 14, "coverage": 1.3, "rate": 0.036, "gearing": 0.7, "rate_input": "shift"},
    "correlation": [{"inputs": ["price", "sales"], "value": 0.5}, {"inputs": ["works", "delay"], "value": 0.3}],
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> RiskModel:
    return risk_model_from(GIVEN)


def changed(**parts: object) -> RiskModel:
    return risk_model_from({**GIVEN, **parts})


def line(name: str, **parts: object) -> list[dict]:
    return [{**row, **parts} if row["name"] == name else row for row in GIVEN["line"]]


def test_the_same_seed_gives_the_same_bits_whatever_block_and_threads(model):
    first = simulate(model, 3000, 5)
    for block, threads in ((1, 1), (7, 1), (64, 2), (1000, 3), (4096, 2)):
        again = simulate(model, 3000 if block > 1 else 150, 5, block=block, threads=threads)
        for name in FIGURES:
            assert np.array_equal(again.figures[name], first.figures[name][: again.scenarios], equal_nan=True), (name, block, threads)
    assert not np.array_equal(simulate(model, 3000, 6).figures["npv_fen"], first.figures["npv_fen"])


def test_a_scenario_depends_on_the_seed_and_its_number_alone(model):
    whole = drawn_values(model.marginals, model.factor, 2**63 + 5, 0, 500)
    assert np.array_equal(drawn_values(model.marginals, model.factor, 2**63 + 5, 123, 77), whole[:, 123:200])


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stop_keeps_the_scenarios_finished_so_far(model, threads):
    told: list[int] = []
    run = simulate(model, 5000, 1, block=500, threads=threads, progress=told.append, stop=lambda: len(told) >= 3)
    assert 1500 <= run.scenarios < 5000 and told == sorted(told) and run.asked == 5000
    assert np.array_equal(run.figures["npv_fen"], simulate(model, 5000, 1).figures["npv_fen"][: run.scenarios])


def test_a_delay_of_eighteen_months_moves_half_the_money_one_year_and_half_two(model):
    values = np.repeat(model.base_values, 2, axis=1)
    values[model.place("delay")] = [0.0, 18.0]
    flows = evaluate_yearly(changed(taxes={}), values).rows["project_flow"]
    moved = flows[:, 1] - flows[:, 0]
    quota = 6e9 * model.inputs[0].base * model.inputs[1].base
    assert moved[2:5] == pytest.approx([-quota, quota / 2, quota / 2]) and not moved[5:].any()


def test_income_that_comes_after_the_end_is_counted_as_lost(model):
    values = model.base_values.copy()
    values[model.place("delay")] = 12.0 * 17 + 6
    found = evaluate(model, values)
    assert found["income_lost_fen"][0] == pytest.approx(3e9 * model.inputs[1].base)


def test_a_signed_loan_is_the_same_in_every_scenario_and_an_own_one_is_not():
    runs = {s: simulate(changed(loan={**GIVEN["loan"], "sized_by": s}), 500, 1).figures for s in ("base", "scenario")}
    assert np.ptp(runs["base"]["debt_fen"]) == 0 and np.ptp(runs["scenario"]["debt_fen"]) > 0
    assert runs["base"]["min_coverage"].min() < runs["scenario"]["min_coverage"].min()


def test_several_changes_of_sign_are_refused_and_counted():
    model = changed(line=[*GIVEN["line"], {"name": "closure", "nature": "cost", "amount_yuan": {"20": 9e8}}])
    run = simulate(model, 200, 1)
    assert run.refused == 200 and np.isnan(run.figures["irr"]).all() and not np.isnan(run.figures["npv_fen"]).any()


def test_no_inputs_and_no_loan_is_a_plain_project():
    plain = {k: v for k, v in GIVEN.items() if k not in ("input", "loan", "correlation")}
    model = risk_model_from({**plain, "line": [{k: v for k, v in r.items() if k not in ("drivers", "delay")} for r in GIVEN["line"]]})
    run = simulate(model, 3, 1)
    assert np.ptp(run.figures["npv_fen"]) == 0 and np.isnan(run.figures["min_coverage"]).all() and (run.figures["debt_fen"] == 0).all()


def test_tables_of_percentiles_and_chances(model):
    run = simulate(model, 4000, 3)
    table = percentile_table(run).set_index("figure")
    assert table.loc["npv_fen", "p10"] == np.quantile(run.figures["npv_fen"], 0.1) and table.loc["npv_fen", "missing"] == 0
    chances = chance_table(run, hurdle_rate=0.06, coverage=1.2).set_index("question")
    assert chances.loc["npv_negative", "chance"] == chances.loc["irr_below_hurdle", "chance"] > 0
    assert chances.loc["coverage_below_one", "chance"] <= chances.loc["coverage_below_asked", "chance"]
    assert chances.loc["self_balance", "chance"] == (run.figures["self_balance_ratio"] >= 1).mean()
    fan = coverage_fan(model, drawn_values(model.marginals, model.factor, 3, 0, 300))
    assert fan["year"].tolist() == list(range(3, 15)) and (np.diff(fan.drop(columns="year").to_numpy(), axis=1) >= 0).all()


def test_the_tornado_stands_on_the_base_case(model):
    table = tornado(model)
    assert table["swing"].is_monotonic_decreasing and table["base"].nunique() == 1
    assert table["base"][0] == evaluate(model, model.base_values)["npv_fen"][0]
    one = table.set_index("input").loc["sales"]
    values = model.base_values.copy()
    values[model.place("sales")] = quantiles(model.marginals[3], 0.9)
    assert one["at_high"] == evaluate(model, values)["npv_fen"][0] > one["at_low"]


def test_the_coefficient_of_a_linear_input_is_its_share_of_the_figure():
    model = changed(taxes={}, loan=GIVEN["loan"])
    table = spider(model).set_index(["input", "change"])
    worth = 6e9 * model.inputs[1].base * 1.06**-3 * model.inputs[0].base
    base = evaluate(model, model.base_values)["npv_fen"][0]
    delay = model.inputs[2].base / 12
    worth = worth * ((1 - delay) + delay / 1.06) if delay < 1 else worth
    assert table.loc[("price", 0.1), "coefficient"] == pytest.approx(worth / base) and np.isnan(table.loc[("price", 0.0), "coefficient"])


def test_break_even_meets_the_target(model):
    for name, figure, target in (("sales", "npv_fen", 0.0), ("works", "npv_fen", 0.0), ("sales", "min_coverage", 1.0), ("sales", "irr", 0.08)):
        roots = break_even(model, name, figure=figure, target=target)
        assert roots, (name, figure)
        for root in roots:
            values = model.base_values.copy()
            values[model.place(name)] = root
            scale = 1e10 if figure == "npv_fen" else 1.0
            assert evaluate(model, values)[figure][0] == pytest.approx(target, abs=1e-8 * scale)
    assert break_even(model, "shift", figure="npv_fen") == ()


def test_correlated_inputs_have_no_sobol_indices_unless_taken_as_independent(model):
    with pytest.raises(SchemaError, match="independent"):
        sobol_table(model)
    table = sobol_table(model, points=256, independent=True)
    assert table.groupby("figure")["first_order"].sum().between(0.8, 1.1).all() and len(table) == 12


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "weird"}, "triangular"),
        ({"kind": "triangular", "low": 2, "mode": 1, "high": 3}, "low ≤ mode"),
        ({"kind": "triangular", "low": 2, "high": 3}, "mode"),
        ({"kind": "normal", "mean": 1, "deviation": -1}, "不为负"),
        ({"kind": "lognormal", "median": 0, "log_deviation": 1}, "median"),
        ({"kind": "discrete", "values": [1, 2], "chances": [0.5, 0.6]}, "合计 1"),
        ({"kind": "empirical", "values": []}, "缺失"),
        ({"kind": "uniform", "low": float("nan"), "high": 1}, "缺失"),
        ({"kind": "uniform", "low": "x", "high": 1}, "不是数"),
    ],
)  # fmt: skip
def test_a_bad_distribution_is_refused(given, said):
    with pytest.raises(SchemaError, match=said):
        marginal_from(given, "price")


def test_impossible_correlations_are_refused_by_name_and_nearest_ones_agreed_to():
    matrix = [[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]
    with pytest.raises(SchemaError, match=r"特征值 -0\.8"):
        checked_correlation(matrix, ("a", "b", "c"))
    near = checked_correlation(matrix, ("a", "b", "c"), nearest=True)
    assert np.linalg.eigvalsh(near).min() > -1e-12 and np.diag(near) == pytest.approx(1.0)
    assert correlation_factor(near) @ correlation_factor(near).T == pytest.approx(near, abs=1e-7)
    for wrong in ([[1, 0.5], [0.4, 1]], [[1, 2], [2, 1]], [[2, 0], [0, 1]], [[1]]):
        with pytest.raises(SchemaError):
            checked_correlation(wrong, ("a", "b"))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"years": 10}, "1 到 10"),
        ({"operation_year": 0}, "year 0"),
        ({"first": "later"}, "end_of_year_one"),
        ({"typo": 1}, "typo"),
        ({"line": line("quota", delay="price")}, "quota: delay"),
        ({"line": line("quota", drivers=["delay"])}, "quota: driver"),
        ({"line": line("running", delay="delay")}, "on income only"),
        ({"line": line("quota", amount_yuan={"3": -1.0})}, "not negative"),
        ({"line": line("quota", amount_yuan={"30": 1.0})}, "'30'"),
        ({"line": line("plant", life_years=0)}, "life"),
        ({"line": line("quota", vat=0.1)}, "vat"),
        ({"line": line("quota", vat_rate=13)}, "fractions"),
        ({"line": line("sales", deductions_fen=1e8)}, "land_bands"),
        ({"loan": {**GIVEN["loan"], "gearing": 70}}, "gearing 70"),
        ({"loan": {**GIVEN["loan"], "coverage": 0.0}}, "coverage"),
        ({"loan": {**GIVEN["loan"], "first_year": 1}}, "outlay"),
        ({"loan": {**GIVEN["loan"], "rate_input": "price"}}, "rate_input"),
        ({"loan": {**GIVEN["loan"], "last_year": 30}}, "30"),
        ({"taxes": {"income_rate": 25}}, "rates from 0 to 1"),
        ({"correlation": [{"inputs": ["price", "nobody"], "value": 0.1}]}, "nobody"),
        ({"correlation": [{"inputs": ["price", "sales"], "value": 1.5}]}, "超出"),
        ({"input": [*GIVEN["input"], {"name": "price", "kind": "constant", "value": 1}]}, "重名: price"),
        ({"input": [{**GIVEN["input"][2], "values": [-6, 0, 6]}, *GIVEN["input"][:2], *GIVEN["input"][3:]]}, "推迟可能为 -6"),
        ({"input": [{**GIVEN["input"][3], "deviation": 0.4}, *GIVEN["input"][:3], *GIVEN["input"][4:]]}, "可能为负"),
    ],
)  # fmt: skip
def test_a_bad_model_is_refused_and_the_part_is_named(parts, said):
    with pytest.raises(SchemaError, match=said):
        changed(**parts)


def test_bad_runs_are_refused(model):
    for call in (
        lambda: simulate(model, 0, 1), lambda: simulate(model, 5, -1), lambda: simulate(model, 5, 1, block=0), lambda: evaluate(model, np.ones((2, 3))),
        lambda: evaluate(model, np.full((6, 1), np.nan)), lambda: tornado(model, "profit"), lambda: tornado(model, low=0.9, high=0.1), lambda: spider(model, "x"),
        lambda: break_even(model, "nobody"), lambda: break_even(model, "price", figure="x"), lambda: break_even(model, "price", low=2, high=1),
        lambda: sobol_table(model, points=100, independent=True), lambda: sobol_table(model, ("x",)),
    ):  # fmt: skip
        with pytest.raises(SchemaError):
            call()


def test_a_constant_input_is_its_number():
    assert quantiles(marginal_from(1.5), 0.3) == 1.5 and RiskInput("a", "a", Marginal("constant", (1.5,))).base == 1.5
