"""Any single wrong value in a project file is refused in words with its place, or gives books that balance."""

from __future__ import annotations

import copy
import datetime
import random
import tomllib

import pytest

from qianmo.finance.project.read import project_from
from qianmo.finance.sheet.evaluate import computed
from qianmo.finance.statements.assemble import assemble
from qianmo.finance.statements.checks import checks_of
from qianmo.finance.statements.indicators import figures_of
from qianmo.schema.errors import FinanceInputError

ODD = [
    None, -1, 0, 1, 3, 10**30, 1e308, -1e-9, float("nan"), float("inf"), "", "x", "5 亩", "-3 万元", "1 万元", "0 万元", "1e300 万元", "120 %", "-5 %", "0 %", [], [1], ["1 亩"],
    [0.5, 0.5], [0, 0], {}, {"policy": "vat_goods"}, {"policy": "lpr_one_year", "plus": -0.9}, True, False, datetime.date(1900, 1, 1), [[1]], [{"id": "a"}], "mine", "none",
    "annuity", "sculpted", "capacity", "accrued", "special_bond", 0.999999, 80,
]  # fmt: skip


def places(part, path=()):
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


@pytest.mark.parametrize("seed", range(6))
def test_a_file_with_one_odd_value_is_refused_or_balances(repo, seed):
    text = (repo / "docs/how-to/finance.md").read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    plain = tomllib.loads(text)
    draw, where = random.Random(seed), list(places(plain))
    refused = 0
    for _ in range(120):
        data, path, value = copy.deepcopy(plain), draw.choice(where), copy.deepcopy(draw.choice(ODD))
        part = data
        for key in path[:-1]:
            part = part[key]
        if value is None:
            del part[path[-1]]
        else:
            part[path[-1]] = value
        try:
            project = project_from(data, file="odd.toml", text=text)
            values = computed(assemble(project))
            figures_of(project, values)
        except FinanceInputError as fault:
            refused += 1
            assert fault.file == "odd.toml" and fault.key, (path, value)
            continue
        assert not [c for c in checks_of(project, values) if c.hard and not c.passes], (path, value)
    assert refused > 60
