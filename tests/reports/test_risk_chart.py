"""Risk charts are drawn for the usual and for the odd table."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from qianmo.reports.risk_chart import coverage_chart, distribution_chart, spider_chart, tornado_chart

TORNADO = pd.DataFrame({
    "zh": ["指标单价", "验收推迟", "利率"], "low_value": [0.8, 3.0, 0.0], "high_value": [1.2, 25.0, 0.0], "at_low": [1e8, 4e8, 3e8], "at_high": [5e8, 2e8, 3e8],
    "base": [3e8] * 3, "swing": [4e8, 2e8, 0.0],
})  # fmt: skip
SPIDER = pd.DataFrame({
    "input": ["p", "p", "q", "q"], "zh": ["指标单价", "指标单价", "利率", "利率"], "change": [-0.1, 0.1] * 2, "figure": [1e8, 3e8, 2e8, 2e8], "coefficient": [2.0, 2.0, 0.0, 0.0],
})  # fmt: skip
FAN = pd.DataFrame({"year": [3, 4, 5], "p5": [0.8, 0.9, 1.0], "p50": [1.2, 1.3, 1.3], "p95": [1.6, 1.7, 1.5]})


def inked(content: bytes) -> float:
    """Share of the picture that is not white."""
    return float((np.asarray(Image.open(io.BytesIO(content)).convert("L")) < 250).mean())


@pytest.mark.parametrize(
    "content",
    [
        lambda: tornado_chart(TORNADO, title="敏感性", label="净现值 (万元)", scale=1e6),
        lambda: tornado_chart(TORNADO.tail(1), title="无影响", label="净现值 (万元)"),
        lambda: spider_chart(SPIDER, title="蛛网", label="净现值 (万元)", scale=1e6),
        lambda: spider_chart(SPIDER.tail(2), title="无影响", label="净现值"),
        lambda: distribution_chart(np.random.default_rng(1).normal(3, 2, 2000), title="分布", label="净现值"),
        lambda: distribution_chart(np.full(10, 2.0), title="一个值", label="净现值"),
        lambda: distribution_chart(np.array([np.nan, 1.0, 2.0]), title="缺值", label="净现值", target=1.5, mark="合成数据"),
        lambda: distribution_chart(np.full(3, np.nan), title="无值", label="净现值"),
        lambda: coverage_chart(FAN, asked=1.3, base_year=2026),
        lambda: coverage_chart(FAN.head(1)),
    ],
)  # fmt: skip
def test_a_chart_is_drawn(content):
    assert inked(content()) > 0.01


def test_the_same_table_gives_the_same_bytes():
    assert coverage_chart(FAN) == coverage_chart(FAN) and coverage_chart(FAN, kind="pdf")[:4] == b"%PDF"
