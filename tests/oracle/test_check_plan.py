"""The stand-alone checker against proofs that are true and proofs that were broken on purpose (独立核验对照)."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from qianmo.jobs.context import Context
from qianmo.jobs.planning.verify_plan import run as check_folder
from qianmo.planning.branching import branch, branch_bound
from qianmo.planning.case_bounds import SHARES, CasePrices, case_bound, case_options, one_case, proven_bound
from qianmo.planning.planted import planted_problem
from qianmo.planning.prices import Prices, dual_bound, legal_prices
from qianmo.planning.problem import KEPT, Limit, Pairs, PlanProblem
from qianmo.planning.proof import border_shares, proof_record, stored_prices
from qianmo.planning.proof_arrays import proof_arrays, read_proof
from qianmo.planning.solve import solve
from qianmo.planning.verify import verify
from qianmo.schema.errors import QianmoError
from qianmo.store.proof_folder import CHECKER, PROOF_PARTS, read_proof_folder, write_proof_folder

CORRUPTIONS = 1000

Parts = dict[str, dict[str, np.ndarray]]
Broken = tuple[dict[str, Any], Parts]


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    """The script as a module, from its path."""
    spec = importlib.util.spec_from_file_location("stranger", CHECKER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def layered(seed: int, *, side: int = 12, uses: int = 4) -> PlanProblem:
    """Equal uses beside each other earn a bonus: one layer a use, all with the same borders."""
    rng = np.random.default_rng(seed)
    n = side * side
    today = rng.integers(0, uses, n)
    patch = np.repeat(np.arange(n), uses - 1)
    use = np.array([u for k in range(n) for u in range(uses) if u != today[k]])
    at = np.arange(n).reshape(side, side)
    i, j = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()]), np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    weight = rng.uniform(0.0, 1.0, len(i))
    pairs = tuple(Pairs(f"use{u}", f"用途{u}", i, j, weight, today == u, use == u) for u in range(uses))
    area = rng.integers(500, 90_000, n) / 100.0
    limits = []
    for u in range(uses):
        sign = (use == u).astype(float) - (today[patch] == u)
        option = np.flatnonzero(sign)
        total = round(float(area[today == u].sum()), 2)
        for relation, factor in (("<=", 1.4), (">=", 0.6)):
            limits.append(Limit(f"{relation}{u}", f"R-{u}", f"用途{u}面积", option, sign[option] * area[patch[option]], relation, round(total * factor, 2), "m2", total))
    cost = rng.integers(0, 10**6, len(patch)) / 100.0
    limits.append(Limit("budget", "", "投资不超过预算", np.arange(len(patch)), cost, "<=", round(float(cost.sum()) * 0.12, 2), "yuan"))
    limits.append(Limit("grade", "", "平均等别", np.arange(len(patch)), rng.normal(0, 1, len(patch)), ">=", -0.05 * n, "1"))
    text = np.array([f"to{u}" for u in use], object)
    return PlanProblem(n, patch, text, use.astype(str).astype(object), rng.normal(-0.2, 1.0, len(patch)), cost, {}, {}, pairs, tuple(limits))


def lumpy(seed: int, *, n: int = 60) -> PlanProblem:
    """A budget that whole patches do not fill, a grade in plain numbers, and two layers of borders."""
    rng = np.random.default_rng(seed)
    patch = np.repeat(np.arange(n), 2)
    cost = rng.integers(3000, 9000, 2 * n) / 100.0
    weight = rng.uniform(0, 2, n - 1)
    pairs = tuple(Pairs(f"p{k}", "", np.arange(n - 1), np.arange(1, n), weight, rng.random(n) < 0.5, rng.random(2 * n) < 0.5) for k in range(2))
    limits = (
        Limit("budget", "", "投资不超过预算", np.arange(2 * n), cost, "<=", round(float(cost.sum()) * 0.13, 2), "yuan"),
        Limit("floor", "f", "面积不少于", np.arange(0, 2 * n, 2), cost[::2], ">=", round(float(cost[::2].sum()) * 0.1, 2), "m2"),
        Limit("grade", "", "平均等别", np.arange(2 * n), rng.normal(0, 1, 2 * n), "<=", 3.0, "1"),
    )
    text = np.array([f"to{k % 3}" for k in range(2 * n)], object)
    return PlanProblem(n, patch, text, text, cost * rng.uniform(0.8, 1.2, 2 * n), cost, {}, {}, pairs, limits)


def proof_of(problem: PlanProblem, *, most: int = 0) -> Broken:
    """Record and arrays of a solved problem, by up to `most` cases; some of the patches that change had to."""
    solution = solve(problem, gap=0.02, time_limit_s=2.0)
    problem = replace(problem, may_keep=(solution.choice == KEPT) | (np.arange(problem.n) % 4 > 0))
    prices = stored_prices(problem, solution.prices, branch(problem, solution.objective, gap=0.0, most=most) if most else None)
    assert prices.cases > 3 or not most
    area = np.random.default_rng(3).integers(100, 10**7, problem.n)
    record = proof_record(problem, solution.choice, prices, made="2026-01-02T03:04:05+00:00", software="qianmo", method="", area_dm2=area)
    return record, proof_arrays(problem, solution.choice, prices, area_dm2=area)


@pytest.fixture(scope="module")
def proofs() -> list[Broken]:
    """True proofs: by cases, planted, layered, and one without any border."""
    planted = [planted_problem(8, 9, rng=np.random.default_rng(k))[0] for k in range(3)]
    bare = planted_problem(6, 6, rng=np.random.default_rng(9), bonus=0.0)[0]
    by_cases = [proof_of(lumpy(k), most=6 + 8 * k) for k in range(3)]
    return [*by_cases, *(proof_of(p) for p in (*planted, layered(0), layered(1), bare))]


def put(folder: Path, record: dict[str, Any], arrays: Parts) -> None:
    """Write a proof as a forger would: the hashes fit the files."""
    folder.mkdir(exist_ok=True)
    files = {}
    for part in PROOF_PARTS:
        np.savez(folder / f"{part}.npz", **arrays[part])  # type: ignore[arg-type]
        files[f"{part}.npz"] = {"sha256": hashlib.sha256((folder / f"{part}.npz").read_bytes()).hexdigest()}
    (folder / "certificate.json").write_text(json.dumps({**record, "files": files}), encoding="utf-8")


def copied(proof: Broken) -> Broken:
    return json.loads(json.dumps(proof[0])), {part: {k: a.copy() for k, a in arrays.items()} for part, arrays in proof[1].items()}


def flip(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A patch takes another of its options, or keeps."""
    patch, choice = a["problem"]["patch"], a["plan"]["choice"]
    k = int(rng.choice(np.unique(patch)))
    choice[k] = rng.choice([o for o in (KEPT, *np.flatnonzero(patch == k)) if o != choice[k]])


def stray(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A patch takes an option of another one, or one that is not there."""
    patch, choice = a["problem"]["patch"], a["plan"]["choice"]
    k = int(rng.integers(len(choice)))
    choice[k] = rng.choice([*np.flatnonzero(patch != k), len(patch), -2])


def lock(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A patch that keeps had to change: the lock of the problem is turned."""
    kept = np.flatnonzero(a["plan"]["choice"] == KEPT)
    keeps = np.unpackbits(a["problem"]["may_keep"])
    keeps[rng.choice(kept)] ^= 1
    a["problem"]["may_keep"] = np.packbits(keeps)


def claim(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A claimed number of the plan is moved."""
    name = str(rng.choice(["objective", "bound", "bound_rounding", "gap_abs", "gap_rel", "gap_rel_objective"]))
    record[name] += float(rng.choice([-1, 1])) * 10.0 ** rng.uniform(-7, 1) * max(1.0, abs(record[name]))


def tighter(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """Bound and gaps are lowered together, so that they agree with each other."""
    record["bound"] -= 10.0 ** rng.uniform(-7, 0) * abs(record["bound"])
    record["gap_abs"] = max(record["bound"] - record["objective"], 0.0)
    record["gap_rel"], record["gap_rel_objective"] = record["gap_abs"] / abs(record["bound"]), record["gap_abs"] / abs(record["objective"])


def limit_claim(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A limit is claimed otherwise: value, side, slack, relation, price, or it is left out."""
    x = record["limits"][int(rng.integers(len(record["limits"])))]
    name = str(rng.choice(["value", "bound", "slack", "constant", "relation", "price", "id", "gone"]))
    if name == "gone":
        record["limits"].remove(x)
        record["counts"]["limits"] -= 1
    elif name == "relation":
        x[name] = "<=" if x[name] == ">=" else ">="
    elif name == "id":
        x[name] += "'"
    else:
        x[name] += float(rng.choice([-1, 1])) * (0.01 if rng.random() < 0.5 else 10.0 ** rng.uniform(-2, 3))


def limit_side(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A limit of the problem is tightened until the plan breaks it, claims moved along."""
    at = int(rng.integers(len(a["problem"]["whole_row"])))
    row, sense = int(a["problem"]["whole_row"][at]), int(a["problem"]["whole_sense"][at])
    x = record["limits"][row]
    move = round(x["slack"] * 100) + int(rng.integers(1, 1000))
    a["problem"]["whole_bound"][at] += sense * move
    x["bound"] = int(a["problem"]["whole_bound"][at]) / 100.0
    x["slack"] = (x["value"] - x["bound"]) if sense > 0 else (x["bound"] - x["value"])


def amount(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """One entry of a limit, of an option that the plan takes, by 1 dm2 or more."""
    chosen = a["plan"]["choice"][a["plan"]["choice"] >= 0]
    entries = np.flatnonzero(np.isin(a["problem"]["whole_option"], chosen))
    a["problem"]["whole_amount"][rng.choice(entries)] += rng.choice([-1, 1]) * int(rng.integers(1, 100))


def price(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A price gets the wrong sign, or grows, in array and claim alike."""
    place, prices = a["problem"]["whole_row"], a["prices"]["whole_price"]
    at = record["case"] * len(place) + int(rng.integers(len(place)))
    sense, row = int(a["problem"]["whole_sense"][at % len(place)]), int(place[at % len(place)])
    old = float(prices[at])
    new = sense * rng.uniform(1e-6, 1.0) if rng.random() < 0.5 or old == 0 else old * rng.uniform(1.01, 3.0)
    prices[at] = record["limits"][row]["price"] = new


def share(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """The shares of many borders are moved."""
    names = [k for k in a["prices"] if k.startswith("share")]
    s = a["prices"][str(rng.choice(names))]
    case = slice(record["case"] * len(s) // record["counts"]["cases"], (record["case"] + 1) * len(s) // record["counts"]["cases"])
    at = rng.random(len(s[case])) < 0.5
    s[case][at] = rng.integers(0, SHARES + 1, int(at.sum()))


def weight(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """Bonuses are raised, lowered, negative, or no numbers."""
    w = a["problem"]["graph0_weight"]
    at = rng.random(len(w)) < 0.5
    w[at] *= rng.choice([0.9, 1.1, -1.0, np.nan, np.inf])


def value(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """The value of an option that the plan takes is moved."""
    chosen = a["plan"]["choice"][a["plan"]["choice"] >= 0]
    a["problem"]["value"][rng.choice(chosen)] += rng.choice([-1, 1]) * 10.0 ** rng.uniform(-6, 1)


def state(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """States today are turned for a tenth of the patches."""
    bits = np.unpackbits(a["problem"]["layer0_state0"])
    bits[rng.random(len(bits)) < 0.1] ^= 1
    bits[: len(bits) // 2] ^= 1
    a["problem"]["layer0_state0"] = np.packbits(bits)


def shape(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """An array is missing, short, of another type, or holds objects."""
    part = str(rng.choice(PROOF_PARTS))
    unread = ("whole_unit", "real_unit", "layer_aim", "layer_zh")
    name = str(rng.choice(sorted(k for k in a[part] if k not in unread)))
    old = a[part][name]
    way = rng.integers(4)
    if way == 0:
        del a[part][name]
    elif way == 1:
        a[part][name] = np.append(old, old[:9] if len(old) else np.zeros(9, old.dtype))
    elif way == 2:
        a[part][name] = old.astype("c16") if old.dtype.kind != "U" else np.arange(len(old) + 1.0)
    else:
        a[part][name] = np.array([[None, {}]], object)


def swap(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """The two ends of a division change places: its cases get each other's prices."""
    tree = a["prices"]
    k = int(rng.integers(len(tree["case_option"])))
    tree["case_taken"][k], tree["case_left"][k] = int(tree["case_left"][k]), int(tree["case_taken"][k])


def other_end(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A division leads elsewhere: in a loop, to a case reached before, or past the end."""
    end = a["prices"][str(rng.choice(["case_taken", "case_left"]))]
    k = int(rng.integers(len(end)))
    end[k] = rng.choice([e for e in range(-len(end) - 2, len(end) + 1) if e != end[k]])


def drop_case(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A division is cut short: one of its ends stands for both, the case of the other is gone, as if it were covered."""
    tree, problem = a["prices"], a["problem"]
    cases = record["counts"]["cases"]
    k = int(rng.choice(np.flatnonzero((tree["case_taken"] < 0) & (tree["case_left"] < 0))))
    ends = [-1 - int(tree[e][k]) for e in ("case_taken", "case_left")]
    gone, kept = ends if rng.random() < 0.5 else ends[::-1]
    for e in ("case_taken", "case_left"):
        tree[e][tree[e] == k] = -1 - kept
        tree[e][tree[e] > k] -= 1
        tree[e][tree[e] < -1 - gone] += 1
        tree[e] = np.delete(tree[e], k)
    tree["case_option"] = np.delete(tree["case_option"], k)
    for name in [n for n in tree if not n.startswith("case_")]:
        tree[name] = np.delete(tree[name].reshape(cases, -1), gone, axis=0).ravel()
    record["counts"]["cases"] -= 1
    if record["case"] == gone:
        record["case"] = kept
    record["case"] -= record["case"] > gone
    for kind in ("whole", "real"):
        stored = tree[f"{kind}_price"].reshape(cases - 1, -1)[record["case"]]
        for row, each in zip(problem[f"{kind}_row"].tolist(), stored.tolist()):
            record["limits"][row]["price"] = each


def other_option(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A division asks for another option, or for one that is not there."""
    option, m = a["prices"]["case_option"], len(a["problem"]["patch"])
    k = int(rng.integers(len(option)))
    option[k] = rng.choice([o for o in range(-1, m + 1) if o != option[k]])


def case_price(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A price of one case gets the wrong sign, is no number, or is huge."""
    price, place = a["prices"]["whole_price"], a["problem"]["whole_row"]
    at = int(rng.integers(len(price)))
    price[at] = rng.choice([rng.uniform(1e-9, 1.0) * a["problem"]["whole_sense"][at % len(place)], np.nan, np.inf])


def other_case(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """Bound, gaps and prices are those of a case with a lower bound, as if it alone were to be proven."""
    proof = read_proof(record, a)
    bounds = [case_bound(proof.problem, proof.prices.limit[c], [s[c] for s in proof.prices.share], fixed)[0]
              for c, fixed in enumerate(case_options(proof.prices) or ())]  # fmt: skip
    lower = [c for c, b in enumerate(bounds) if -np.inf < b < max(bounds) - 1e-9]
    record["case"] = int(rng.choice(lower))
    if rng.random() < 0.7:
        record["bound"] = bounds[record["case"]]
        record["gap_abs"] = max(record["bound"] - record["objective"], 0.0)
        record["gap_rel"], record["gap_rel_objective"] = record["gap_abs"] / abs(record["bound"]), record["gap_abs"] / abs(record["objective"])
    for x, each in zip(record["limits"], proof.prices.limit[record["case"]].tolist()):
        x["price"] = each


def area(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A patch gains a square decimetre, or the table of areas is moved."""
    if rng.random() < 0.5:
        a["plan"]["area_dm2"][rng.integers(len(a["plan"]["area_dm2"]))] += int(rng.choice([-1, 1]))
    else:
        record["areas"][int(rng.integers(len(record["areas"])))][str(rng.choice(["area_dm2", "patches"]))] += 1


WAYS: tuple[Callable[[np.random.Generator, dict[str, Any], Parts], None], ...] = (
    flip, stray, lock, claim, tighter, limit_claim, limit_side, amount, price, share, weight, value, state, shape, area,
    swap, other_end, drop_case, other_option, case_price, other_case,
)  # fmt: skip

DIVIDED = (swap, other_end, drop_case, other_option, case_price, other_case)
"""Ways that need a proof by cases; the first `BY_CASES` are such."""

BY_CASES = 3


def test_true_proofs_are_accepted(checker: ModuleType, proofs: list[Broken], tmp_path: Path) -> None:
    for k, (record, arrays) in enumerate(proofs):
        write_proof_folder(tmp_path / f"{k}", record, arrays)
        rows = checker.check(tmp_path / f"{k}")
        assert not [r for r in rows if not r[1]] and len(rows) > 10
        assert checker.main([str(tmp_path / f"{k}")]) == 0
        put(tmp_path / "again", *copied((record, arrays)))
        assert checker.main([str(tmp_path / "again")]) == 0, "what the forger writes is accepted while nothing is broken"


def test_of_a_thousand_broken_proofs_at_least_999_are_refused(checker: ModuleType, proofs: list[Broken], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(20260101)
    accepted = []
    for k in range(CORRUPTIONS):
        way = WAYS[k % len(WAYS)]
        source = int(rng.integers(BY_CASES if way in DIVIDED else len(proofs) - (way in (share, weight, state))))
        record, arrays = copied(proofs[source])
        with np.errstate(invalid="ignore"):
            way(rng, record, arrays)
        put(tmp_path / "broken", record, arrays)
        if checker.main([str(tmp_path / "broken")]) == 0:
            accepted.append((k, way.__name__, source))
    capsys.readouterr()
    assert len(accepted) <= CORRUPTIONS // 1000, accepted


def test_the_house_refuses_what_the_stranger_refuses(proofs: list[Broken], tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    accepted = []
    for k in range(10 * len(WAYS)):
        way = WAYS[k % len(WAYS)]
        record, arrays = copied(proofs[k % (BY_CASES if way in DIVIDED else len(proofs) - 1)])
        with np.errstate(invalid="ignore"):
            way(rng, record, arrays)
        put(tmp_path / "broken", record, arrays)
        try:
            if check_folder(Context(), {"folder": str(tmp_path / "broken"), "json": True}).exit_code == 0:
                accepted.append((k, way.__name__))
        except QianmoError:
            continue
    assert not accepted


def test_a_changed_file_is_refused_by_its_hash(checker: ModuleType, proofs: list[Broken], tmp_path: Path) -> None:
    write_proof_folder(tmp_path / "p", *proofs[0])
    path = tmp_path / "p" / "plan.npz"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(bytes(raw))
    assert checker.main([str(tmp_path / "p")]) == 1


def test_a_stranger_without_the_package_gets_the_same_answer(proofs: list[Broken], tmp_path: Path) -> None:
    folder = tmp_path / "证明"
    write_proof_folder(folder, *proofs[0])
    command = [sys.executable, "-I", "-c", f"import sys, runpy; sys.modules['qianmo'] = None; sys.argv = ['check_plan.py', {str(folder)!r}]; "
               f"runpy.run_path({str(folder / 'check_plan.py')!r}, run_name='__main__')"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    assert "不符 0 项" in done.stdout.decode("utf-8")
    record, arrays = copied(proofs[0])
    record["bound"] *= 0.999
    put(folder, record, arrays)
    done = subprocess.run([sys.executable, "-I", str(folder / "check_plan.py"), str(folder)], capture_output=True, check=False)
    assert done.returncode == 1 and "FAIL" in done.stdout.decode("utf-8")
    shutil.rmtree(folder)
    done = subprocess.run([sys.executable, "-I", str(CHECKER), str(folder)], capture_output=True, check=False)
    assert done.returncode == 1 and "REFUSED" in done.stdout.decode("utf-8") and not done.stderr


def test_a_case_without_any_plan_is_no_fault(checker: ModuleType, tmp_path: Path) -> None:
    problem, choice, _ = planted_problem(4, 4, rng=np.random.default_rng(0))
    own = np.flatnonzero(problem.patch == 5)
    choice[5] = own[0]
    problem = replace(problem, may_keep=np.arange(problem.n) != 5)
    k = len(own)
    one = one_case(np.zeros(len(problem.limits)), border_shares(problem, [p.weight / 2 for p in problem.pairs]))
    chain = CasePrices(own, -1 - np.arange(k), np.append(np.arange(1, k), -1 - k), np.repeat(one.limit, k + 1, 0), tuple(np.repeat(s, k + 1, 0) for s in one.share))
    assert (case_options(chain) or [])[-1] == tuple((int(o), False) for o in own)
    assert case_bound(problem, chain.limit[k], [s[k] for s in chain.share], case_options(chain)[k])[0] == -np.inf  # type: ignore[index]
    record = proof_record(problem, choice, chain, made="", software="", method="")
    assert record["bound"] == pytest.approx(proven_bound(problem, one)[0]) and record["counts"]["cases"] == k + 1
    failed = {c["id"] for c in verify(problem, choice, record, chain) if not c["ok"]}
    write_proof_folder(tmp_path / "p", record, proof_arrays(problem, choice, chain))
    wrong = {r[0].split()[1] for r in checker.check(tmp_path / "p") if not r[1]}
    assert failed == {f"limit:{i}" for i in wrong}, "the plan may break limits here; nothing else is wrong"


@pytest.mark.parametrize("huge", [1e18, 1e302, 1e308])
def test_prices_beyond_floating_point_are_refused_by_the_stranger(checker: ModuleType, tmp_path: Path, huge: float) -> None:
    text = np.array(["a", "b"], object)
    limit = Limit("loss", "", "", np.arange(2), np.array([1.0, 2e6]), "<=", 0.0, "m2")
    problem = PlanProblem(2, np.arange(2), text, text, np.array([1.0, 2.0]), np.zeros(2), {}, {}, (), (limit,))
    choice, true = np.array([-1, -1]), one_case(np.zeros(1))
    record, arrays = proof_record(problem, choice, true, made="", software="", method=""), proof_arrays(problem, choice, true)
    put(tmp_path / "p", record, arrays)
    assert checker.main([str(tmp_path / "p")]) == 0 and record["bound"] == 3.0
    arrays["prices"]["whole_price"][0] = record["limits"][0]["price"] = huge
    for error in (huge * 2e6 * 1.2e-15, 1e-9):
        put(tmp_path / "p", {**record, "bound": 1e-3, "gap_abs": 1e-3, "gap_rel": 1.0, "gap_rel_objective": 0.0, "bound_rounding": error}, arrays)
        with np.errstate(over="ignore", invalid="ignore"):
            assert checker.main([str(tmp_path / "p")]) == 1


@pytest.mark.parametrize("number", range(9))
def test_house_and_stranger_agree_on_every_number(checker: ModuleType, proofs: list[Broken], tmp_path: Path, number: int) -> None:
    write_proof_folder(tmp_path / "p", *proofs[number])
    record, arrays = read_proof_folder(tmp_path / "p")
    proof = read_proof(record, arrays)
    house = {c["id"]: c for c in verify(proof.problem, proof.choice, record, proof.prices)}
    assert all(c["ok"] for c in house.values())
    stranger = {r[0].split()[-1]: r[2] for r in checker.check(tmp_path / "p") if isinstance(r[2], float)}
    assert stranger["objective"] == house["objective"]["found"]
    assert abs(stranger["bound"] - house["bound"]["found"]) <= 2 * record["bound_rounding"]


@pytest.mark.parametrize("seed", range(5))
def test_the_bound_of_stored_prices_is_no_lower_than_any_plan_and_close_to_the_optimisers(seed: int) -> None:
    problem = layered(seed, side=7)
    rng = np.random.default_rng(seed)
    loose = legal_prices(problem, Prices(rng.normal(0, 1e-3, len(problem.limits)), tuple(rng.random(len(p.i)) * p.weight for p in problem.pairs)))
    shares = border_shares(problem, loose.split)
    stored = Prices(loose.limit, tuple(p.weight * (s / SHARES) for p, s in zip(problem.pairs, shares)))
    bound, error, case = proven_bound(problem, one_case(loose.limit, shares))
    assert abs(bound - dual_bound(problem, stored)) <= error + 1e-9 and error < 1e-9 and case == 0
    assert bound >= solve(problem, gap=0.05, time_limit_s=1.0).objective


@pytest.mark.parametrize("seed", range(4))
def test_stored_cases_prove_less_than_one_set_of_prices_leaves_open_and_no_less_than_the_best_plan(seed: int) -> None:
    problem = lumpy(seed, n=12)
    best = solve(problem, gap=0.0)
    found = branch(problem, best.objective, gap=0.0, most=40)
    assert found is not None
    stored = stored_prices(problem, best.prices, found)
    bound, error, case = proven_bound(problem, stored)
    assert best.objective <= bound + error and bound < dual_bound(problem, best.prices)
    assert abs(bound - branch_bound(problem, found)) <= error + sum(float(p.weight.sum()) for p in problem.pairs) / 65535
    assert bound == case_bound(problem, stored.limit[case], [s[case] for s in stored.share], (case_options(stored) or [])[case])[0]


def test_planted_plans_are_proven_best_but_for_the_rounding_of_the_shares(rng: np.random.Generator) -> None:
    problem, choice, best = planted_problem(20, 20, rng=rng)
    solution = solve(problem, gap=1e-6)
    prices = stored_prices(problem, solution.prices, solution.branches)
    record = proof_record(problem, choice, prices, made="", software="", method="", solved_bound=solution.bound)
    assert record["objective"] == pytest.approx(best, rel=1e-12)
    assert best <= record["bound"] + record["bound_rounding"] and record["gap_rel"] < 1e-5


JUNK: tuple[Any, ...] = (None, True, -1, 0, 10**400, 1e308, float("inf"), "x", [], {}, [1], {"a": 1}, 2**31, 1.5)


def shake_record(rng: np.random.Generator, record: dict[str, Any]) -> None:
    """Somewhere in the record a value is dropped or becomes junk."""
    at: Any = record
    while True:
        key = list(at)[int(rng.integers(len(at)))] if isinstance(at, dict) else int(rng.integers(len(at)))
        if not (isinstance(at[key], dict | list) and at[key] and rng.random() < 0.7):
            break
        at = at[key]
    if rng.random() < 0.3:
        del at[key]
    else:
        at[key] = JUNK[int(rng.integers(len(JUNK)))]


def shake_array(rng: np.random.Generator, arrays: Parts) -> None:
    """An array is halved, doubled, emptied, turned into words, or holds an extreme."""
    part = str(rng.choice(PROOF_PARTS))
    name = str(rng.choice(sorted(arrays[part])))
    a = arrays[part][name]
    extreme = a.copy()
    if a.dtype.kind in "iu" and len(a):
        extreme[rng.integers(len(a))] = rng.choice([np.iinfo(a.dtype).min, np.iinfo(a.dtype).max])
    arrays[part][name] = [a[: len(a) // 2], np.concatenate([a, a]), a[:0], a.reshape(1, -1), np.array(["?"] * len(a)), extreme][int(rng.integers(6))]


def test_malformed_folders_get_words_from_both_and_never_a_traceback(checker: ModuleType, proofs: list[Broken], tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    refused = 0
    for k in range(200):
        record, arrays = copied(proofs[k % len(proofs)])
        if k % 2:
            shake_record(rng, record)
        else:
            shake_array(rng, arrays)
        put(tmp_path / "shaken", record, arrays)
        with np.errstate(all="ignore"):
            refused += checker.main([str(tmp_path / "shaken")])
            try:
                check_folder(Context(), {"folder": str(tmp_path / "shaken"), "json": False})
            except QianmoError as error:
                assert str(error)
    assert refused > 100
