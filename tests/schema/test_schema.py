"""The words: units, codes, rules, tables."""

from datetime import date

import pytest

from qianmo.schema.codes import domain_codes, land_class, land_classes
from qianmo.schema.errors import CodeError, RuleError, SchemaError
from qianmo.schema.rules import CONFIRM, FAIL, NO_DATA, PASS, parameter, rule, rules, unit_cost, verdict_of
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import require_columns, table_spec
from qianmo.schema.units import ha_to_mu, m2_to_mu, mu_to_ha, mu_to_m2


def test_three_mu_are_two_thousand_square_metres():
    assert mu_to_m2(3) == 2000.0 and m2_to_mu(2000) == 3.0 and ha_to_mu(1) == 15 and mu_to_ha(26443) == pytest.approx(1762.8667, abs=1e-4)


def test_the_traps_of_the_three_big_classes_are_kept():
    big = {c: land_class(c, scheme="SD3").big_class for c in ("0404", "1006", "1201", "1104", "1101", "1109", "1202", "0603")}
    assert big == {"0404": "未利用地", "1006": "农用地", "1201": "建设用地", "1104": "农用地", "1101": "未利用地", "1109": "建设用地",
                   "1202": "农用地", "0603": "建设用地"}  # fmt: skip


def test_a_code_of_another_edition_is_refused():
    with pytest.raises(CodeError, match="05H1"):
        land_class("05H1", scheme="GBT21010_2017")
    with pytest.raises(CodeError):
        land_classes("SD9")
    assert domain_codes("QSXZ")["30"] == "集体土地所有权"


def test_a_rule_of_unsure_text_never_fails_bare():
    sure, unsure = rule("Z-01"), rule("Z-03")
    assert (verdict_of(sure, True), verdict_of(sure, False), verdict_of(sure, None)) == (PASS, FAIL, NO_DATA)
    assert unsure.confidence == "medium" and verdict_of(unsure, False) == CONFIRM


def test_a_rule_is_in_force_only_in_its_span():
    assert rule("Z-01", on=date(2020, 1, 1)).value() == 0.05
    with pytest.raises(RuleError, match="not in force"):
        rule("Z-01", on=date(2019, 1, 1))
    assert all(r.effective_from is None or r.effective_from.year > 1990 for r in rules().values())


def test_overrides_win_and_unknown_names_are_refused():
    assert parameter("small_patch_mu") == 3 and parameter("small_patch_mu", {"small_patch_mu": 5}) == 5
    with pytest.raises(RuleError):
        parameter("no_such")
    with pytest.raises(RuleError):
        unit_cost("C-NONE")
    with pytest.raises(RuleError, match="one number"):
        rule("Z-15").value()


def test_missing_columns_are_named_in_chinese():
    with pytest.raises(SchemaError, match="地类编码"):
        require_columns("landuse_patch", ["patch_id"])
    with pytest.raises(SchemaError):
        table_spec("no_such")


def test_shipped_tables_equal_the_shared_ones(shared_domain):
    import csv

    for folder, name, other in (("codes", "land_classes", "land_classes"), ("rules", "consolidation_rules", "consolidation_rules"), ("codes", "crs", "crs")):
        with open(shared_domain / f"{other}.csv", encoding="utf-8-sig", newline="") as handle:
            assert len(list(csv.DictReader(handle))) == len(shipped_rows(folder, name))
