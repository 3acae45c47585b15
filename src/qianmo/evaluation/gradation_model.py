"""Tables of the gradation of farmland after GB/T 28407, checked before use (农用地分等模型)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qianmo.evaluation.membership import check_curve
from qianmo.evaluation.own_tables import Rows, known_tables, number_of, region_of, table_rows
from qianmo.evaluation.score_steps import check_steps, word_ranks
from qianmo.evaluation.weights import check_weight_sum
from qianmo.schema.errors import RuleError

__all__ = ["BIN_KINDS", "GRADATION_TABLES", "Crop", "GradationModel", "gradation_model"]

GRADATION_TABLES = ("gradation_region", "gradation_crop", "gradation_indicator", "gradation_score", "gradation_bin", "gradation_effect")
"""Names of the tables, all in ``schema/parameters``; a county gives its own under the same names."""

BIN_KINDS = ("natural", "use", "economic")
"""Kinds of indices and grades: 自然质量等, 利用等, 经济等."""

_GRADES = 15
_FULL = 100.0


@dataclass(frozen=True)
class Crop:
    """One designated crop (指定作物).

    `light_temperature` is α, `yield_ratio` is β; `yield_max` [kg/mu] and `return_max` [kg/yuan] are the largest yield and yield a cost of the region, NaN
    where the table leaves them blank. `steps` are the classes of each indicator by name; '' stands for a membership function.
    """

    crop: str
    zh: str
    light_temperature: float
    yield_ratio: float
    yield_max: float
    return_max: float
    indicators: Rows
    steps: Mapping[str, Rows]


@dataclass(frozen=True)
class GradationModel:
    """One region: its designated crops with indicators, limits of grades, effects of works (分等参数).

    `is_geometric` says that scores are joined by the weighted geometric mean; `ranks` how good a word of a fact is.
    """

    region: str
    region_zh: str
    is_geometric: bool
    crops: tuple[Crop, ...]
    bins: Mapping[str, tuple[tuple[int, float], ...]]
    effects: Rows
    ranks: Mapping[tuple[str, str], float]

    @property
    def indicators(self) -> Rows:
        """Indicators of all crops, each fact once."""
        return list({r["fact"]: r for c in self.crops for r in c.indicators}.values())

    @property
    def worded(self) -> tuple[str, ...]:
        """Facts that hold words."""
        return tuple({fact for fact, _ in self.ranks})


def gradation_model(own: Mapping[str, Rows] | None = None, *, region: str | None = None) -> GradationModel:
    """The model of one region from the shipped tables, with those of the county in their place (组装并检查分等参数).

    Parameters
    ----------
    own : mapping of table name to rows, optional
        Tables that stand in for shipped ones, with the same columns.
    region : str, optional
        Code or name of the region of indicators (指标区); not needed where the tables hold one.

    Raises
    ------
    SchemaError
        An unknown table or region, or a table without a needed column.
    RuleError
        Weights that do not sum to 1, classes with gaps, potentials that are not above 0, limits that do not fall, an unknown mean.
    """
    told = own or {}
    known_tables(told, GRADATION_TABLES)
    tables = {n: table_rows(n, told.get(n)) for n in GRADATION_TABLES}
    where = region_of(tables["gradation_region"], region, what="gradation_region")
    if where["mean"] not in ("arithmetic", "geometric"):
        raise RuleError(f"gradation_region {where['region']}: mean 为 {where['mean']!r}", expected="arithmetic (加权平均) 或 geometric (几何平均)")
    mine = {n: [r for r in tables[n] if r["region"] == where["region"]] for n in ("gradation_crop", "gradation_indicator", "gradation_score")}
    if not mine["gradation_crop"]:
        raise RuleError(f"指标区 {where['name_zh']} 没有指定作物", expected="gradation_crop 中每种作物一行")
    crops = tuple(_crop(r, mine["gradation_indicator"], mine["gradation_score"]) for r in mine["gradation_crop"])
    ranks = {(r["fact"], w): v for c in crops for r in c.indicators for w, v in word_ranks(c.steps.get(r["indicator"], ())).items()}
    return GradationModel(where["region"], where["name_zh"], where["mean"] == "geometric", crops, _bins(tables["gradation_bin"]), tables["gradation_effect"], ranks)


def _crop(row: Mapping[str, str], indicators: Rows, scores: Rows) -> Crop:
    what = f"gradation_crop {row['crop']}"
    of = lambda rows: [r for r in rows if r["crop"] == row["crop"]] or [r for r in rows if r["crop"] == "*"]  # noqa: E731
    mine = of(indicators)
    if not mine:
        raise RuleError(f"作物 {row['name_zh']} 没有分等因素", expected="gradation_indicator 中 crop 为该作物或 * 的行")
    check_weight_sum([r["indicator"] for r in mine], [number_of(r, "weight", what=f"gradation_indicator {r['indicator']}") for r in mine], what=f"gradation_indicator {row['crop']}")
    steps = {}
    for r in mine:
        if r["function"] == "concept":
            raise RuleError(f"{row['name_zh']} {r['name_zh']}: 函数 concept", expected="step (按 gradation_score 分级赋分) 或隶属函数", cure="取值为词的因素用 step")
        if r["function"] != "step":
            check_curve(r)
            continue
        steps[r["indicator"]] = of([s for s in scores if s["indicator"] == r["indicator"]])
        check_steps(steps[r["indicator"]], what=f"{row['name_zh']} {r['name_zh']}", lowest=0.0, highest=_FULL)
    blank = float("nan")
    alpha, beta = (number_of(row, k, what=what) for k in ("light_temperature", "yield_ratio"))
    most, gain = (number_of(row, k, what=what, otherwise=blank) for k in ("yield_max_kg_mu", "return_max_kg_yuan"))
    if min(alpha, beta) <= 0 or most <= 0 or gain <= 0:
        raise RuleError(f"{what}: 潜力、产量比与最高值 {[alpha, beta, most, gain]}", expected="大于 0")
    return Crop(row["crop"], row["name_zh"], alpha, beta, most, gain, mine, steps)


def _bins(rows: Rows) -> dict[str, tuple[tuple[int, float], ...]]:
    out = {}
    for kind in BIN_KINDS:
        mine = sorted((int(number_of(r, "grade", what="gradation_bin")), number_of(r, "index_min", what="gradation_bin")) for r in rows if r["kind"] == kind)
        grades, lower = [g for g, _ in mine], [v for _, v in mine]
        if grades != list(range(1, _GRADES + 1)) or any(b >= a for a, b in zip(lower, lower[1:])) or lower[-1] != 0:
            raise RuleError(f"gradation_bin {kind}: 等别 {grades}, 下限 {lower}", expected=f"1 至 {_GRADES} 等各一行, 下限由高到低严格递减, 末等为 0")
        out[kind] = tuple(mine)
    return out
