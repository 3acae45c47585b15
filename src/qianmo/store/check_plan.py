"""Check a land plan and its proof with NumPy alone (规划方案与证明独立核验, 只需 NumPy): python check_plan.py FOLDER

Exit 0: every claim holds; 1: one does not, or the folder cannot be read. FOLDER holds certificate.json (the claims), problem.npz, plan.npz and prices.npz. For any price p of each limit (at
least 0 on '<=', at most 0 on '>=') and any split a + b = w of each pair bonus, every plan within the limits scores at most
    sum over patches of max(value of keeping, of each option, after prices) + sum p (bound - constant) - bonuses of today
because w s_i s_j <= a s_i + b s_j. Plans may be divided by single options (taken or not) into cases with prices of their own: each plan lies in
exactly one, so the largest bound holds for all. Areas and money are whole dm2 and fen: their sums are exact. Apache-2.0.
"""

import hashlib, json, math, pathlib, sys, zipfile  # noqa: E401, I001

import numpy as np

__all__ = ["UNREADABLE", "check", "main"]
FORMAT, SHARES, STEP, SIGNS = "qianmo-proof/1", 65535, 1 << 16, {-1: "<=", 0: "==", 1: ">="}
UNREADABLE = (OSError, ValueError, EOFError, LookupError, TypeError, RuntimeError, ArithmeticError, MemoryError, AttributeError, zipfile.BadZipFile)


def check(folder):
    """Rows (what, holds, found, claimed) of every check; raises one of UNREADABLE where the files are no proof."""
    record, data = read(pathlib.Path(folder))
    n, m, changed, forced, count, cases = (number(record.get("counts"), k, True) for k in ("patches", "options", "changed", "must_change", "limits", "cases"))
    patch, value, choice = take(data, "patch", "i4", m, 0, n - 1), take(data, "value", "f8", m), take(data, "choice", "i4", n, -1, m - 1)
    may_keep, done = take(data, "may_keep", "bits", n), np.flatnonzero(choice >= 0)
    wrong = np.concatenate([np.flatnonzero((choice < 0) & ~may_keep), done[patch[choice[done]] != done]])
    if len(wrong) or (np.diff(patch) < 0).any():
        raise ValueError(f"patches keep where they may not, or take an option of another: {wrong[:5].tolist()}; or patch is not ascending")
    sizes, case, fixed = (len(done), int((~may_keep).sum())), number(record, "case", True), cases_of(data, cases, m)
    rows = [("每个图斑一项可选措施 changed, must_change", sizes == (changed, forced), sizes, (changed, forced))]
    layers, terms = layers_of(data, n, m, cases), [value[choice[done]]]
    for i, j, w, state0, state, _ in layers:
        after = np.where(choice >= 0, np.append(state, False)[choice], state0)
        was, now = state0[i] & state0[j], after[i] & after[j]
        terms += [w[now & ~was], -w[was & ~now]]
    score, small = exact(terms), 1e-8 * exact([np.abs(value), *(w for _, _, w, *_ in layers)])
    priced = limits_of(data, record["limits"], count, m, choice[done], rows, cases, case)
    found = [bound_of(patch, value, may_keep, layers, priced, n, c, fixed[c]) for c in range(cases)]
    bound = max(b for b, _ in found)
    error = max(e for b, e in found if b + e >= bound)
    proper = found[case][0] >= bound - 2 * error and error <= small and all(e < math.inf for _, e in found)
    rows.append(("分情形 cases", proper, f"{cases}, rounding {error:.2g}", f"the largest bound in case {case}, rounding at most {small:.2g}"))
    gap, top, own = max(bound - score, 0.0), *(abs(x) if abs(x) > 1e-12 else math.inf for x in (bound, score))
    for what, found, name, slack in (
        ("得分", score, "objective", 1e-12 * exact([np.abs(t) for t in terms])), ("上界", bound, "bound", 2 * error), ("差距", gap, "gap_abs", 4 * error),
        ("相对上界", gap / top, "gap_rel", 1e-12 + 8 * error / top), ("相对得分", gap / own, "gap_rel_objective", 1e-12 + 8 * error / own),
        ("舍入误差", error, "bound_rounding", 0.01 * error),
    ):  # fmt: skip
        rows.append((f"{what} {name}", abs(found - number(record, name)) <= slack, found, record[name]))
    rows.append(("得分不超过上界 objective <= bound", score <= bound + error, f"{score!r} <= {bound!r} + {error:.2g}", ""))
    return rows + (areas_of(data, record, choice, n, m) if "areas" in record or "area_dm2" in data else [])


def read(folder):
    """The record, and the arrays of the files whose hashes it holds."""
    record, data = json.loads((folder / "certificate.json").read_text(encoding="utf-8")), {}
    if record["format"] != FORMAT or not isinstance(record["limits"], list):
        raise ValueError(f"certificate.json is not in the format {FORMAT}")
    for name in ("problem.npz", "plan.npz", "prices.npz"):
        with open(folder / name, "rb") as handle:
            if (digest := hashlib.file_digest(handle, "sha256").hexdigest()) != record["files"][name]["sha256"]:
                raise ValueError(f"{name} is not the file of this proof: its SHA-256 is {digest}")
            handle.seek(0)
            data.update(np.load(handle, allow_pickle=False))
    return record, data


def take(data, name, kind, length=None, low=None, high=None):
    """One array of the right type and length, with finite numbers inside the range; bits are unpacked."""
    if kind == "bits":
        return np.unpackbits(take(data, name, "u1", (length + 7) // 8), count=length).astype(bool)
    a = data.get(name)
    if a is None or a.ndim != 1 or (a.dtype.kind != "U" if kind == "U" else a.dtype != np.dtype("<" + kind)) or length not in (None, len(a)):
        raise ValueError(f"array {name} is missing, or not of type {kind} and length {length}")
    if len(a) and ((kind == "f8" and not np.isfinite(a).all()) or (low is not None and a.min() < low) or (high is not None and a.max() > high)):
        raise ValueError(f"array {name} has a number that is none, or leaves its range {low} to {high}")
    return a


def number(record, name, whole=False):
    """A claimed number, finite; a whole one where asked."""
    found = record.get(name) if isinstance(record, dict) else None
    if type(found) not in ((int,) if whole else (int, float)) or not -1e300 < found < 1e300 or (whole and not 0 <= found < 2**31):
        raise ValueError(f"{name} is {found!r}, not a number")
    return found


def exact(parts):
    """Exactly rounded sum, a block at a time."""
    return math.fsum(x for a in parts for k in range(0, len(a), STEP) for x in a[k : k + STEP].tolist())


def cases_of(data, cases, m):
    """What each case says of options, (option, is taken) from division 0 on; every division and case is reached exactly once."""
    option, ends = take(data, "case_option", "i4", cases - 1, 0, m - 1), [take(data, f"case_{k}", "i4", cases - 1) for k in ("left", "taken")]
    found, todo = [], [(0 if cases > 1 else -1, ())]
    while todo and len(found) < 2 * cases:
        at, fixed = todo.pop()
        found.append((at, fixed))
        if 0 <= at < cases - 1:
            todo += [(int(ends[t][at]), (*fixed, (int(option[at]), t))) for t in (0, 1)]
    if sorted(at for at, _ in found) != list(range(-cases, cases - 1)):
        raise ValueError("the divisions form no tree that reaches every division and every case exactly once")
    return [fixed for _, fixed in sorted(found)[cases - 1 :: -1]]  # -1 leads to case 0, -2 to case 1


def layers_of(data, n, m, cases):
    """Borders, states today, states under the options, and the part of each bonus for end i, of every pair layer."""
    out = []
    for k, g in enumerate(take(data, "layer_graph", "i4", None, 0).tolist()):
        i, share = take(data, f"graph{g}_i", "i4", None, 0, n - 1), take(data, f"share{k}", "u2")
        j, w = take(data, f"graph{g}_j", "i4", len(i), 0, n - 1), take(data, f"graph{g}_weight", "f8", len(i), 0.0)
        if (i == j).any():
            raise ValueError(f"graph {g} joins a patch to itself")
        out.append((i, j, w, take(data, f"layer{k}_state0", "bits", n), take(data, f"layer{k}_state", "bits", m), share.reshape(cases, len(i))))
    return out


def limits_of(data, claims, count, m, chosen, rows, cases, case):
    """Adds a row for every limit; returns (price in each case, options, amounts, bound, constant) of each."""
    priced, taken = {}, np.bincount(chosen, minlength=m) > 0
    for kind, dtype, part in (("whole", "i8", 100.0), ("real", "f8", 1.0)):
        place, name = take(data, f"{kind}_row", "i4", None, 0, len(claims) - 1), take(data, f"{kind}_id", "U")
        sense, start = take(data, f"{kind}_sense", "i1", len(place), -1, 1), take(data, f"{kind}_start", "i8", len(place) + 1, 0)
        bound, constant = (take(data, f"{kind}_{x}", dtype, len(place)) for x in ("bound", "constant"))
        price = take(data, f"{kind}_price", "f8", cases * len(place)).reshape(cases, len(place))
        amount = take(data, f"{kind}_amount", dtype, len(option := take(data, f"{kind}_option", "i4", None, 0, m - 1)))
        if len(name) != len(place) or start[0] != 0 or start[-1] != len(option) or (np.diff(start) < 0).any():
            raise ValueError(f"array {kind}_start does not divide the entries of the limits")
        for k, at in enumerate(place.tolist()):
            a, o, claim = amount[start[k] : start[k + 1]], option[start[k] : start[k + 1]], claims[at]
            side, base, sign = bound[k].item(), constant[k].item(), int(sense[k])
            size = float(np.abs(a.astype(float)).sum()) + abs(base) + abs(side)
            got = base + int(a[taken[o]].sum()) if kind == "whole" else exact([a[taken[o]], np.array([base])])
            slack, near_enough = (0, 0.4) if kind == "whole" else (1e-9 * size, 1e-9 * size)
            truth = {"value": got, "bound": side, "constant": base, "slack": got - side if sign > 0 else side - got}
            same = (claim.get("id"), claim.get("relation"), number(claim, "price")) == (name[k], SIGNS[sign], price[case, k])
            same = same and all(abs(number(claim, x) * part - y) <= near_enough for x, y in truth.items())
            holds = (abs(got - side) <= slack if sign == 0 else sign * (got - side) >= -slack) and (kind == "real" or size < 2.0**62)
            faults = (("超限 broken", holds), ("与证书不符 claim differs", same), ("价格符号 price sign", (price[:, k] * sign <= 0).all()))
            text = "; ".join([f"{got / part:,.2f} {SIGNS[sign]} {side / part:,.2f}", *(w for w, ok in faults if not ok)])
            rows.append((f"约束 {name[k]} {claim.get('zh', '')}", all(ok for _, ok in faults), text, claim.get("value")))
            priced[at] = (price[:, k].tolist(), o, a / part, side / part, base / part)
    rows.append(("约束齐全 limits", len(priced) == count == len(claims), len(priced), count))
    return list(priced.values())


def bound_of(patch, value, may_keep, layers, priced, n, case, fixed):
    """The bound of a case, and the largest error that rounding can have put into it; -inf where a patch has no way left."""
    option, keep, touched = value.copy(), np.zeros(n), np.zeros(len(value), np.int32)
    sizes, constant, ends = [exact([np.abs(value)])], [], 0
    for prices, o, a, side, base in priced:
        if price := prices[case]:
            np.subtract.at(option, o, price * a)
            np.add.at(touched, o, 1)
            constant += [price * side, -price * base]
            sizes.append(float(np.abs(price * a).sum()))
    for i, j, w, state0, state, share in layers:
        part = w * (share[case] / float(SHARES))
        bonus = np.bincount(i, part, n) + np.bincount(j, w - part, n)
        keep, option = keep + np.where(state0, bonus, 0.0), option + np.where(state, bonus[patch], 0.0)
        constant.append(-exact([today := w[state0[i] & state0[j]]]))
        sizes += [2.0 * float(w.sum()), float(today.sum())]
        ends = max(ends, int((np.bincount(i, minlength=n) + np.bincount(j, minlength=n)).max(initial=0)))
    best = np.where(may_keep, keep, -np.inf)
    for o, is_taken in fixed:
        option[(patch == patch[o]) ^ (np.arange(len(patch)) == o) if is_taken else o] = -np.inf
        best[patch[o]] = -np.inf if is_taken else best[patch[o]]
    np.maximum.at(best, patch, option)
    steps = (int(touched.max(initial=0)) + ends + len(layers) + 8) * 2.0**-53
    return exact([best, np.array(constant)]), steps / (1 - steps) * 1.001 * (math.fsum(sizes) + math.fsum(map(abs, constant)))


def areas_of(data, record, choice, n, m):
    """Where the proof has areas: those of every measure and class after, exact to the dm2, and the whole."""
    area, names = take(data, "area_dm2", "i8", n, 0, 2**40), [take(data, f"{k}_name", "U").tolist() for k in ("measure", "target")]
    codes = [np.append(take(data, k, "u2", m, 0, len(t) - 1), 0).astype(int) for k, t in zip(("measure", "target"), names)]
    kind, found = np.where(choice >= 0, codes[0][choice] * len(names[1]) + codes[1][choice], -1), []
    for k in np.unique(kind).tolist():
        words, here = ("keep", "") if k < 0 else (names[0][k // len(names[1])], names[1][k % len(names[1])]), kind == k
        found.append({"measure": words[0], "target_class": words[1], "patches": int(here.sum()), "area_dm2": int(area[here].sum())})
    return [("各措施面积 areas", found == record.get("areas"), f"{int(area.sum()) / 100:,.2f} m2, {len(found)} kinds", record.get("areas"))]


def main(words):
    """Print the table; 0 where everything agrees."""
    try:
        rows = check(words[0]) if len(words) == 1 else []
    except UNREADABLE as error:
        sys.stdout.write(f"无法核验 REFUSED: {type(error).__name__}: {error}\n")
        return 1
    for what, ok, found, claimed in rows:
        sys.stdout.write(f"{'通过 ok  ' if ok else '不符 FAIL'} {what}: {found}" + ("\n" if ok else f"   证书 claimed: {claimed}\n"))
    bad = sum(not ok for _, ok, _, _ in rows)
    sys.stdout.write(f"共 {len(rows)} 项, 不符 {bad} 项 · {len(rows)} checks, {bad} failed\n" if rows else __doc__)
    return int(bad > 0 or not rows)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(main(sys.argv[1:]))
