"""Rules of participation, review, enforcement and registration: V-01 to V-16 (参与、联审、执法、登记规则)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from qianmo.evaluation.answers import Measure, all_true, at_least, at_most, not_needed, numbers_in, share_at_least
from qianmo.evaluation.classes import text_column
from qianmo.evaluation.facts import Answer, Facts, document_facts, limit, told, told_or
from qianmo.schema.errors import MissingDataError
from qianmo.schema.rules import parameter, parameters

__all__ = ["MEASURES", "UNIT_CODE"]

UNIT_CODE = re.compile(r"\d{12}[GJZ][A-Z]\d{5}[FLQW]\d{8}")
"""Real-estate unit code (不动产单元代码): 6+3+3+2+5+1+8 characters, pattern of rule V-13."""

PARCEL_CODE_LENGTH = 19
TWO_THIRDS_PRINTED = 0.6667
"""How the tables print two thirds: 4 of 6 must pass, so the exact fraction is meant."""

DEPARTMENTS = ("自然资源", "农业农村", "生态环境")


def _quorum(present: float, due: float, least: float, words: str) -> tuple[bool, str]:
    if due <= 0 or present < 0 or present > due:
        raise MissingDataError(f"{words}: 到会 {present:g}、应到 {due:g} 不成比例")
    return round(present / due - least, 9) >= 0, f"{words} {present:g}/{due:g} = {present / due:.2%}(应≥{least:.2%})"


def _majority(agree: float, base: float, half: float, words: str) -> tuple[bool, str]:
    if base <= 0 or agree < 0 or agree > base:
        raise MissingDataError(f"{words}: 同意 {agree:g}、基数 {base:g} 不成比例")
    return agree / base > half, f"{words} {agree:g}/{base:g} = {agree / base:.2%}(应>{half:.2%})"


def _v02(facts: Facts) -> Answer:
    due, present, agree = told(facts, "party_members", "party_present", "party_agree")
    least, half = numbers_in(facts, "V-02", 2)
    base = str(facts.overrides.get("party_vote_base", parameters()["party_vote_base"].default))
    came, a = _quorum(present, due, least, "党员到会")
    voted, b = _majority(agree, due if base == "all_members" else present, half, "党员同意")
    return Answer(came and voted, agree / due, f"{a};{b}")


def _v03(facts: Facts) -> Answer:
    half_adults, households, half = numbers_in(facts, "V-03", 3)
    if facts.documents.get("adults_present") is not None:
        adults, present, agree = told(facts, "adults", "adults_present", "assembly_agree")
        came, a = _majority(present, adults, half_adults, "成年村民到会")
    else:
        due, present, agree = told(facts, "households", "households_present", "assembly_agree")
        came, a = _quorum(present, due, households, "户代表到会")
    voted, b = _majority(agree, present, half, "到会同意")
    return Answer(came and voted, agree / present, f"{a};{b}")


def _v04(facts: Facts) -> Answer:
    due, present, agree = told(facts, "representatives", "representatives_present", "representatives_agree")
    least, half = numbers_in(facts, "V-04", 2)
    came, a = _quorum(present, due, least, "村民代表到会")
    voted, b = _majority(agree, present, half, "到会同意")
    return Answer(came and voted, agree / present, f"{a};{b}")


def _v05(facts: Facts) -> Answer:
    due, present, agree = told(facts, "collective_members", "collective_present", "collective_agree")
    least = limit(facts, "V-05", "consent_ratio")
    came, a = _quorum(present, due, least, "成员到会")
    voted, b = _quorum(agree, due, least, "全体成员同意")
    return Answer(came and voted, agree / due, f"{a};{b}", threshold=f"{least:g}")


def _v07(facts: Facts) -> Answer:
    plan, compensation, tenure, village, acceptance = numbers_in(facts, "V-07", 5)
    p = facts.overrides
    due = {
        "notice_plan_days": parameter("notice_plan_days", p) if "notice_plan_days" in p else plan,
        "notice_compensation_days": compensation,
        "notice_tenure_working_days": parameter("notice_tenure_wd", p) if "notice_tenure_wd" in p else tenure,
        "notice_village_days": parameter("notice_village_days", p) if "notice_village_days" in p else village,
        "notice_acceptance_days": acceptance,
    }
    given = {k: told(facts, k)[0] for k in due if facts.documents.get(k) is not None}
    if not given:
        told(facts, *due)
    short = [k for k, v in given.items() if v < due[k]]
    words = ";".join(f"{document_facts()[k]['zh']} {v:g} 天(应≥{due[k]:g})" for k, v in given.items())
    if not short and len(given) < len(due):
        words += ";未提供的公示不在判定之内"
    return Answer(not short, min(v - due[k] for k, v in given.items()), words, margin=f"不足 {len(short)} 项", threshold="0")


def _v08(facts: Facts) -> Answer:
    (opinions,) = told(facts, "department_opinions")
    absent = [d for d in DEPARTMENTS if not any(d in str(o) for o in opinions)]
    words = f"意见 {len(opinions)} 份:{'、'.join(map(str, opinions))}" + (f";缺 {'、'.join(absent)}" if absent else "")
    return Answer(not absent, float(len(DEPARTMENTS) - len(absent)), words, margin=f"缺 {len(absent)} 个必审部门", unit="count")


def _v09(facts: Facts) -> Answer:
    names = ("review_acceptance_days", "review_opinion_days", "review_meeting_days", "review_recheck_days")
    used, most = told(facts, *names), numbers_in(facts, "V-09", 4)
    if "review_dept_wd" in facts.overrides:
        most[1] = parameter("review_dept_wd", facts.overrides)
    late = [n for n, u, m in zip(names, used, most) if u > m]
    words = ";".join(f"{document_facts()[n]['zh']} {u:g}(应≤{m:g})" for n, u, m in zip(names, used, most))
    return Answer(not late, max(u - m for u, m in zip(used, most)), words, margin=f"超期 {len(late)} 项", threshold="0")


def _v11(facts: Facts) -> Answer:
    issued, reported = told(facts, "clue_issue_date", "clue_report_date")
    months = (reported.year - issued.year) * 12 + reported.month - issued.month
    return at_most("V-11", float(months), f"{issued} 下发,{reported} 填报", threshold=limit(facts, "V-11"))


def _v12(facts: Facts) -> Answer:
    illegal, total = told(facts, "illegal_farmland_m2", "new_occupied_farmland_m2")
    if total <= 0:
        return not_needed("无新增占用耕地")
    share, trigger = illegal / total, limit(facts, "V-12", "illegal_share_threshold")
    words = f"违法占用耕地占比 {share:.2%},达到 {trigger:.0%} 即约谈问责(通过 = 未触发)"
    return Answer(share < trigger, share, words, margin=f"距触发 {trigger - share:+.2%}", threshold=f"触发 {trigger:g}")


def _v13(facts: Facts) -> Answer:
    codes = told_or(facts, "unit_codes", None)
    if codes is None:
        found = text_column(facts.layer("parcel", "宗地(不动产单元代码)"), "parcel_id")
        codes = [c for c in found if len(c) != PARCEL_CODE_LENGTH]
        if not codes:
            raise MissingDataError("28位不动产单元代码(宗地图层只有19位宗地代码)")
    bad = [str(c) for c in codes if not UNIT_CODE.fullmatch(str(c))]
    words = f"不动产单元代码 {len(codes)} 个,不合格 {len(bad)} 个" + (f",如 {'、'.join(bad[:3])}" if bad else "")
    return Answer(not bad, float(len(bad)), words, threshold="0", unit="count", comparator="==")


def _v16(facts: Facts) -> Answer:
    signed, parties = told(facts, "endorsements", "endorsing_parties")
    ratio = limit(facts, "V-16", "endorse_ratio")
    if parties <= 0:
        raise MissingDataError("大于零的参与验证方数 endorsing_parties")
    least = math.ceil(2 * parties / 3) if ratio == TWO_THIRDS_PRINTED else math.ceil(round(ratio * parties, 6))
    answer = at_least("V-16", signed, f"背书 {signed:g}/{parties:g} 方,应 ≥ {least}", threshold=float(least), unit="方")
    return Answer(answer.ok, signed / parties, answer.numbers, margin=answer.margin, threshold=f"{ratio:g}")


def _v15(facts: Facts) -> Answer:
    (count,) = told(facts, "ledger_personal_fields")
    return Answer(count == 0, count, f"链上个人信息字段 {count:g} 个(应为 0)", threshold="0", unit="count", comparator="==")


MEASURES: Mapping[str, Measure] = {
    "V-01": all_true(
        "proposal_done", "consultation_done", "review_done", "resolution_done", "resolution_published", "result_published"
    ),
    "V-02": _v02,
    "V-03": _v03,
    "V-04": _v04,
    "V-05": _v05,
    "V-06": share_at_least("V-06", "contract_votes_for", "contract_votes_all", "承包地调整同意", parameter="consent_ratio"),
    "V-07": _v07,
    "V-08": _v08,
    "V-09": _v09,
    "V-10": all_true("monthly_clearing_done", "quarterly_check_done", "annual_evaluation_done"),
    "V-11": _v11,
    "V-12": _v12,
    "V-13": _v13,
    "V-14": all_true("tenure_frozen_before_works", "tenure_registered_after_works"),
    "V-15": _v15,
    "V-16": _v16,
}
"""Measures of the rules of participation, review, enforcement and registration by rule id."""
