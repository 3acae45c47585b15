"""Value, return and payback of a flow (盈利能力指标)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qianmo.finance.figures.payback import payback_years
from qianmo.finance.figures.present_value import net_present_value
from qianmo.finance.figures.rate_of_return import modified_rate_of_return, rates_of_return
from qianmo.finance.project.records import Project
from qianmo.finance.statements.figure import Figure, Values, existing

__all__ = ["flow_figures"]


def flow_figures(project: Project, values: Values, flow: str, zh: str) -> list[Figure]:
    """FNPV, FIRR, MIRR, Pt and Pt' of one flow; several rates of return are told, none is chosen (一条现金流的指标)."""
    money, rate, first, row = list(values[f"flow.{flow}"]), project.benchmark.value, project.first_flow, (f"flow.{flow}", "rate.benchmark")
    when = "首年不折现" if first == "now" else "首年折现一年"
    irr, note = _rate_of_return(money)
    modified = existing(lambda: modified_rate_of_return(money, project.benchmark.value, project.benchmark.value))
    return [
        Figure(f"npv_{flow}", f"{zh}财务净现值 FNPV", "分", float(net_present_value(money, rate, first=first)), f"Σ 净现金流量 ÷ (1+基准收益率)^t, {when}", row),
        Figure(f"irr_{flow}", f"{zh}财务内部收益率 FIRR", "比例", irr, "使 Σ 净现金流量 ÷ (1+r)^t = 0 的 r", row[:1], note=note),
        Figure(f"mirr_{flow}", f"{zh}修正内部收益率 MIRR", "比例", modified, "投入按基准收益率折现, 收回按基准收益率增值", row),
        Figure(f"payback_{flow}", f"{zh}静态投资回收期 Pt", "年", float(payback_years(money, first=first)), "累计净现金流量最后一次由负转正的年限", row[:1]),
        Figure(f"dynamic_payback_{flow}", f"{zh}动态投资回收期 Pt'", "年", float(payback_years(money, rate=rate, first=first)), "累计折现净现金流量最后一次由负转正的年限", row),
    ]  # fmt: skip


def _rate_of_return(money: Sequence[float]) -> tuple[float, str]:
    roots = rates_of_return(money)
    if len(roots) == 1:
        return roots[0], ""
    if not roots:
        return math.nan, "净现金流量没有使净现值为零的折现率"
    return math.nan, f"有 {len(roots)} 个内部收益率 ({', '.join(f'{r:.4%}' for r in roots)}), 不取其一; 请用净现值与修正内部收益率"
