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
from qianmo.jobs.verify_plan import run as check_folder
from qianmo.planning.planted import planted_problem
from qianmo.planning.prices import Prices, dual_bound, legal_prices
from qianmo.planning.problem import KEPT, Limit, Pairs, PlanProblem
from qianmo.planning.proof import border_shares, proof_record
from qianmo.planning.proof_arrays import proof_arrays, read_proof
from qianmo.planning.solve import solve
from qianmo.planning.verify import SHARES, proven_bound, verify
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


def proof_of(problem: PlanProblem) -> Broken:
    """Record and arrays of a solved problem; some of the patches that change had to."""
    solution = solve(problem, gap=0.02, time_limit_s=2.0)
    problem = replace(problem, may_keep=(solution.choice == KEPT) | (np.arange(problem.n) % 4 > 0))
    shares = border_shares(problem, solution.prices.split)
    area = np.random.default_rng(3).integers(100, 10**7, problem.n)
    record = proof_record(
        problem, solution.choice, solution.prices.limit, shares, made="2026-01-02T03:04:05+00:00", software="qianmo", method="", area_dm2=area
    )
    return record, proof_arrays(problem, solution.choice, solution.prices.limit, shares, area_dm2=area)


@pytest.fixture(scope="module")
def proofs() -> list[Broken]:
    """True proofs: planted, layered, and one without any border."""
    planted = [planted_problem(8, 9, rng=np.random.default_rng(k))[0] for k in range(3)]
    bare = planted_problem(6, 6, rng=np.random.default_rng(9), bonus=0.0)[0]
    return [proof_of(p) for p in (*planted, layered(0), layered(1), bare)]


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
    at = int(rng.integers(len(a["prices"]["whole_price"])))
    sense, row = int(a["problem"]["whole_sense"][at]), int(a["problem"]["whole_row"][at])
    old = float(a["prices"]["whole_price"][at])
    new = sense * rng.uniform(1e-6, 1.0) if rng.random() < 0.5 or old == 0 else old * rng.uniform(1.01, 3.0)
    a["prices"]["whole_price"][at] = record["limits"][row]["price"] = new


def share(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """The shares of many borders are moved."""
    names = [k for k in a["prices"] if k.startswith("share")]
    s = a["prices"][str(rng.choice(names))]
    at = rng.random(len(s)) < 0.5
    s[at] = rng.integers(0, SHARES + 1, int(at.sum()))


def weight(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """Bonuses are raised, lowered, negative, or no numbers."""
    w = a["problem"]["graph0_weight"]
    at = rng.random(len(w)) < 0.3
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


def area(rng: np.random.Generator, record: dict[str, Any], a: Parts) -> None:
    """A patch gains a square decimetre, or the table of areas is moved."""
    if rng.random() < 0.5:
        a["plan"]["area_dm2"][rng.integers(len(a["plan"]["area_dm2"]))] += int(rng.choice([-1, 1]))
    else:
        record["areas"][int(rng.integers(len(record["areas"])))][str(rng.choice(["area_dm2", "patches"]))] += 1


WAYS: tuple[Callable[[np.random.Generator, dict[str, Any], Parts], None], ...] = (
    flip, stray, lock, claim, tighter, limit_claim, limit_side, amount, price, share, weight, value, state, shape, area,
)  # fmt: skip


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
        source = int(rng.integers(len(proofs) - (way in (share, weight, state))))
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
        record, arrays = copied(proofs[k % 5])
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
    write_proof_folder(folder, *proofs[3])
    command = [sys.executable, "-I", "-c", f"import sys, runpy; sys.modules['qianmo'] = None; sys.argv = ['check_plan.py', {str(folder)!r}]; "
               f"runpy.run_path({str(folder / 'check_plan.py')!r}, run_name='__main__')"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    assert "不符 0 项" in done.stdout.decode("utf-8")
    record, arrays = copied(proofs[3])
    record["bound"] *= 0.999
    put(folder, record, arrays)
    done = subprocess.run([sys.executable, "-I", str(folder / "check_plan.py"), str(folder)], capture_output=True, check=False)
    assert done.returncode == 1 and "FAIL" in done.stdout.decode("utf-8")
    shutil.rmtree(folder)
    done = subprocess.run([sys.executable, "-I", str(CHECKER), str(folder)], capture_output=True, check=False)
    assert done.returncode == 1 and "REFUSED" in done.stdout.decode("utf-8") and not done.stderr


@pytest.mark.parametrize("number", range(6))
def test_house_and_stranger_agree_on_every_number(checker: ModuleType, proofs: list[Broken], tmp_path: Path, number: int) -> None:
    write_proof_folder(tmp_path / "p", *proofs[number])
    record, arrays = read_proof_folder(tmp_path / "p")
    proof = read_proof(record, arrays)
    house = {c["id"]: c for c in verify(proof.problem, proof.choice, record, proof.shares)}
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
    bound, error = proven_bound(problem, loose.limit, shares)
    assert abs(bound - dual_bound(problem, stored)) <= error + 1e-9 and error < 1e-9
    assert bound >= solve(problem, gap=0.05, time_limit_s=1.0).objective


def test_planted_plans_are_proven_best_but_for_the_rounding_of_the_shares(rng: np.random.Generator) -> None:
    problem, choice, best = planted_problem(20, 20, rng=rng)
    solution = solve(problem, gap=1e-6)
    record = proof_record(
        problem, choice, solution.prices.limit, border_shares(problem, solution.prices.split), made="", software="", method="", solved_bound=solution.bound
    )
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
