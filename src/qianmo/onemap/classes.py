"""Land-class schemes: which one is this, and from one to another where each class has one counterpart (地类体系)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from qianmo.schema.codes import land_classes
from qianmo.schema.dataset import Candidate, Decision
from qianmo.schema.errors import CodeError

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["class_key", "crosswalk", "detect_class_scheme", "map_classes", "restored_code"]

_SCHEMES = ("SD3", "GBT21010_2017", "GBT21010_2007", "LANDSEA_2023")
_NAMES_AGREE = 0.9
_STRAY = 0.1
_THIRD_SURVEY_FIELDS = ("TBXHDM", "ZZSXDM", "CZCSXM", "MSSM")


def class_key(code: object) -> str:
    """A class code as text: no blanks, digits folded, suffix in capitals, ``.0`` of a number dropped (地类编码归一)."""
    if code is None or code != code:
        return ""
    return re.sub(r"\.0+$", "", unicodedata.normalize("NFKC", str(code)).strip().upper())


def restored_code(code: str, scheme: str) -> str:
    """A code with the leading zero it lost, when that gives a class of the scheme; else the code itself (补前导零)."""
    padded = f"0{code}"
    return padded if code not in land_classes(scheme) and padded in land_classes(scheme) else code


def detect_class_scheme(
    codes: Sequence[object], names: Sequence[object] | None = None, *, columns: Sequence[str] = ()
) -> Decision:
    """Land-class scheme of a column, never a mixture (地类体系判定).

    A scheme must hold every code that any scheme knows (codes with a lost leading zero count when the whole column lost
    them). Among several, the class names decide; then the fields that only the third survey has (TBXHDM, ZZSXDM, CZCSXM,
    MSSM) speak for SD3. Codes like 05H1, 0201K or 1104A exist in SD3 only and so decide by themselves.

    Parameters
    ----------
    codes : sequence
        One code a row; blanks are skipped.
    names : sequence, optional
        Class names (DLMC) in the same order.
    columns : sequence of str
        Field names of the layer.

    Returns
    -------
    Decision
        `chosen` is a scheme of ``land_classes.csv`` or '' (unclear, or more than 10 % of the rows in no scheme).

    Raises
    ------
    CodeError
        The column mixes codes of several schemes so that no single scheme holds them; offending codes with row counts.
    """
    counts = _folded(Counter(codes))
    if not counts:
        return _decision("", ())
    lost = not any(c.startswith("0") for c in counts) and any(len(c) % 2 for c in counts)
    held = {s: {c for c in counts if c in land_classes(s) or (lost and restored_code(c, s) != c)} for s in _SCHEMES}
    known = set().union(*held.values())
    if not known:
        return _decision("", tuple(Candidate(s, 0.0, ("no code of this scheme (无此体系代码)",)) for s in _SCHEMES))
    whole = [s for s in _SCHEMES if held[s] == known]
    if not whole:
        _refuse_mixture(counts, held, known)
    agree = _agreement(codes, names, whole) if names is not None else {}
    return _pick(counts, held, known, whole, agree, columns)


def crosswalk(codes: Sequence[str], source: str, target: str) -> dict[str, str]:
    """Counterpart of each code in another scheme, one to one only (地类对照).

    Raises
    ------
    CodeError
        A code is not in the source scheme, has no counterpart, or has several: the choices are listed and the user decides.
    """
    if source == target:
        return {c: c for c in codes}
    found: dict[str, str] = {}
    open_questions: list[str] = []
    for code in dict.fromkeys(codes):
        choices = _counterparts(source, target).get(code, ()) if code in land_classes(source) else ()
        if len(choices) == 1:
            found[code] = choices[0]
        else:
            open_questions.append(f"{code} -> {' or '.join(choices) if choices else 'nothing'}")
    if open_questions:
        raise CodeError(
            f"no single counterpart from {source} to {target}: {'; '.join(open_questions)}",
            expected="one counterpart a class",
            cure="choose a target for each of these codes and pass the choice to map_classes (地类一对多，须人工选择)",
        )
    return found


def map_classes(
    frame: gpd.GeoDataFrame, mapping: Mapping[str, str], *, scheme: str, column: str = "class_code"
) -> gpd.GeoDataFrame:
    """Copy of a layer with its class codes replaced, names taken from the target scheme (地类转换).

    Raises
    ------
    CodeError
        A code has no entry in the mapping, or an entry is not in the target scheme; with row counts.
    """
    keys, targets = frame[column].map(class_key), land_classes(scheme)
    blank = keys == ""
    missing = Counter(k for k in keys[~blank] if k not in mapping)
    wrong = sorted({v for v in mapping.values() if v not in targets})
    if missing or wrong:
        raise CodeError(
            f"codes without a target: {_rows(missing) or 'none'}; targets not in {scheme}: {wrong or 'none'}",
            expected=f"each code mapped to a class of {scheme}",
            cure="complete the mapping (补全地类映射)",
        )
    out = frame.copy()
    out[column] = keys.map(dict(mapping)).where(~blank, None)
    if "class_name" in out.columns:
        out["class_name"] = out[column].map({c: k.zh for c, k in targets.items()})
    return out


def _decision(chosen: str, candidates: tuple[Candidate, ...]) -> Decision:
    return Decision("land-class scheme (地类体系)", chosen, candidates)


def _folded(raw: Mapping[object, int]) -> Counter[str]:
    """Rows by folded code, blanks left out."""
    counts: Counter[str] = Counter()
    for code, n in raw.items():
        if class_key(code):
            counts[class_key(code)] += n
    return counts


def _rows(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{c} ({n} rows)" for c, n in sorted(counts.items()))


def _refuse_mixture(counts: Counter[str], held: Mapping[str, set[str]], known: set[str]) -> None:
    best = max(held, key=lambda s: sum(counts[c] for c in held[s]))
    offending = {c: counts[c] for c in known - held[best]}
    homes = sorted({s for s in held for c in offending if c in held[s]})
    raise CodeError(
        f"class codes of several schemes in one column: nearest is {best}, but {_rows(offending)} belong to {', '.join(homes)}",
        expected="codes of one scheme (SD3, GBT21010_2017, GBT21010_2007 or LANDSEA_2023)",
        cure="split the layer by edition or map these codes first; schemes are never mixed (地类体系混用)",
    )


def _agreement(codes: Sequence[object], names: Sequence[object], schemes: Sequence[str]) -> dict[str, float]:
    """Share of rows whose name is the one the scheme gives to the code."""
    pairs: Counter[tuple[str, str]] = Counter()
    for (code, name), n in Counter(zip(codes, names, strict=True)).items():
        if class_key(code) and name is not None and name == name and str(name).strip():
            pairs[class_key(code), str(name).strip()] += n
    total = sum(pairs.values())
    if not total:
        return {}
    return {s: sum(n for (c, name), n in pairs.items() if _name_in(s, c) == name) / total for s in schemes}


def _name_in(scheme: str, code: str) -> str:
    found = land_classes(scheme).get(code) or land_classes(scheme).get(restored_code(code, scheme))
    return found.zh if found else ""


def _pick(
    counts: Counter[str],
    held: Mapping[str, set[str]],
    known: set[str],
    whole: Sequence[str],
    agree: Mapping[str, float],
    columns: Sequence[str],
) -> Decision:
    rows = sum(counts.values())
    third = sorted({c.upper() for c in columns} & set(_THIRD_SURVEY_FIELDS))
    candidates = []
    for scheme in held:
        share = sum(counts[c] for c in held[scheme]) / rows
        reasons = [f"holds {len(held[scheme])} of {len(counts)} codes, {share:.0%} of the rows (代码覆盖)"]
        reasons += [f"names agree on {agree[scheme]:.0%} of the rows (名称一致)"] if scheme in agree else []
        reasons += [f"fields of the third survey: {', '.join(third)} (三调字段)"] if third and scheme == "SD3" else []
        score = share * (0.5 + 0.5 * agree.get(scheme, 0.5)) if scheme in whole else 0.4 * share
        candidates.append(Candidate(scheme, round(min(score + 0.1 * (bool(third) and scheme == "SD3"), 1.0), 4), tuple(reasons)))
    stray = 1.0 - sum(counts[c] for c in known) / rows
    left = [s for s in whole if not agree or agree[s] >= _NAMES_AGREE]
    if len(left) > 1 and third and "SD3" in left:
        left = ["SD3"]
    chosen = left[0] if len(left) == 1 and stray <= _STRAY else ""
    return _decision(chosen, tuple(sorted(candidates, key=lambda c: (c.value != chosen, -c.score))))


@cache
def _counterparts(source: str, target: str) -> dict[str, tuple[str, ...]]:
    """Every class of the source with the classes of the target it may become; empty where no list joins the two."""
    if source == "SD3":
        return {code: _targets(code, target) for code in land_classes("SD3")}
    if target != "SD3":
        return {}
    back: dict[str, list[str]] = {}
    for code, there in ((c, _targets(c, source)) for c, k in land_classes("SD3").items() if k.level < 3):
        for other in there:
            back.setdefault(other, []).append(code)
    return {code: tuple(found) for code, found in back.items()}


def _targets(code: str, target: str) -> tuple[str, ...]:
    found, classes = land_classes("SD3")[code], land_classes(target)
    text = {"LANDSEA_2023": found.landsea_2023, "GBT21010_2017": found.gbt21010_2017}.get(target, "")
    listed: list[str] = []
    for part in re.sub(r"\(.*?\)", "", text).split(";"):
        first, _, last = part.strip().partition("-")
        listed += [c for c in classes if first <= c <= last and len(c) == len(first)] if last else [first] if first else []
    coarse = [c for c in listed if found.level > 1 and c in classes and classes[c].level < min(found.level, 2)]
    return tuple(c for x in listed for c in (_children(x, target) if x in coarse else [x]) if c in classes)


def _children(code: str, scheme: str) -> list[str]:
    return [c for c in land_classes(scheme) if len(c) == 4 and c.startswith(code)] or [code]
