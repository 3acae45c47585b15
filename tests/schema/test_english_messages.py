"""What the program writes in Chinese is told in English too, with its figures in the right places."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from qianmo.governance.review_rights import refused
from qianmo.schema.messages import english_message, has_chinese, in_language
from qianmo.schema.shipped import shipped_rows

ROWS = list(shipped_rows("codes", "english_words"))
GAP = re.compile(r"\{\d*\}")
PIECES = {
    "农用地", "倍", "方", " 公顷", ",规划后 7 m2", "(尚无规划方案,按现状判定)", "现状 7 m2", "7 应为 7 位:", "小于最小上图面积:", "恢复属性标注在耕地上:", "耕地属性不全:",
    "非线状地类填了宽度:", ";缺 7", ",如 7",
    "调出 7(7个),调入 7(7个)", "7,差 7,7 7", "7:复垦 7 - 安置 7 - 预留 7 = 节余 7", "7:拆旧复垦 7,建新 7,差 7", "党员到会", "党员同意", "全体成员同意", "到会同意", "成员到会", "成年村民到会",
    "户代表到会", "村民代表到会",
    "承包地调整同意", "PPP建设补贴", "土地出让收入占比", "7 7(应≤7)", "差 7 元", "减少 7", "减少 7 个", "增加 7 个", "超出 7", "批准 7,占用 7,补划 7,质量7",
    "永农范围内矿业权 7 个,7属战略性矿产或井下开采",
    "方案措施 7 种,属「7」的 7 种,涉及耕地 7", "陡坡退耕 7,国家生态退耕任务7确认", "整治前耕地 7,整治后 7,净增 7(7),新增(毛)7(7),判定口径 7增,应不少于 7", "浙江指标表7",
    "永农内光伏 7 m2;基本草原、Ⅰ级保护林地、重点国有林区7占用",
}  # fmt: skip
"""Pieces of a line whose gap is a word, or which never stand alone; the whole lines are tried below."""

WHOLE = (
    "现状 0.00 m2(尚无规划方案,按现状判定);重叠 0.00 m2,容差 1 m2", "现状 1.00 m2,规划后 2.00 m2(按现行永农);按布局调整后的永农判定 0.00 m2(验收后生效);重叠 2.00 m2,容差 1 m2",
    "非线状地类填了宽度:300 个图斑中 2 处不符",
    "QSDWDM、ZLDWDM 应为 19 位:300 个图斑中 0 处不符", "党员到会 8/10 = 80.00%(应≥66.67%);党员同意 6/8 = 75.00%(应>50.00%)", "批准 有,占用 1.00亩,补划 2.00亩,质量不降低",
    "验收资料:拆旧复垦 1.00亩,建新 2.00亩,差 -1.00亩",
    "方案测算(验收率 0.95):复垦 1.00亩 - 安置 0.00亩 - 预留 0.10亩 = 节余 0.90亩", "意见 2 份:自然资源、农业农村;缺 生态环境", "永农范围内矿业权 2 个,均属战略性矿产或井下开采",
    "浙江指标表不齐全", "联审受理用时(工作日) 2(应≤2)",
    "党支部提议:是、决议公开:否", "陡坡退耕 3.00亩,国家生态退耕任务未确认", "政府担保无,回购承诺有", "调出 3.00亩(2个),调入 4.00亩(1个),差 1.00亩,乡镇原永农 90.00亩",
    "方案措施 5 种,属「种植草皮、挖湖造景、超标准绿色通道」的 0 种,涉及耕地 0.00亩",
    "永农内光伏 2.00 m2;基本草原、Ⅰ级保护林地、重点国有林区未有占用", "缺:党支部提议(proposal_done)、两委商议(consultation_done)", "缺:节余指标流转范围(county、city或province)(quota_trade_scope)",
    "不动产单元代码 3 个,不合格 1 个,如 990101", "土地出让收入占比 0.2", "缺:永农调出图斑(未做布局调整则不适用)图层 basic_farmland_out",
    "质检问题表中 D-04 共 310 处(图层 parcel)(规则文本置信度中,须核实原文后判定)",
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[r["zh"][:40] for r in ROWS])
def test_every_template_gives_english_and_never_more_gaps_than_it_found(row):
    assert has_chinese(row["zh"]) and not has_chinese(row["en"])
    assert len(GAP.findall(row["en"])) <= len(GAP.findall(row["zh"]))
    assert not has_chinese(english_message(row["zh"].replace("{}", "Q7")))


def test_templates_are_unique():
    assert len({r["zh"] for r in ROWS}) == len(ROWS)


@pytest.mark.parametrize("line", WHOLE)
def test_the_reasons_of_verdicts_are_told_in_english_with_all_their_figures(line):
    said = english_message(line)
    assert not has_chinese(said), said
    assert sorted(re.findall(r"\d+\.?\d*", line.replace("m2", ""))) == sorted(re.findall(r"\d+\.?\d*", said.replace("m2", "")))


def test_every_reason_in_the_compliance_rules_has_an_english_wording(repo: Path):
    lacking = []
    for path in sorted((repo / "src/qianmo/evaluation").glob("compliance_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kept = {id(n.body[0].value) for n in ast.walk(tree) if isinstance(n, ast.Module | ast.FunctionDef) and n.body and isinstance(n.body[0], ast.Expr)}
        kept |= {id(c) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for c in ast.walk(n) if c is not n}
        kept |= {id(c) for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg in ("margin", "threshold") for c in ast.walk(n)}
        for node in ast.walk(tree):
            if id(node) not in kept and isinstance(node, ast.Constant | ast.JoinedStr):
                text = _words(node)
                if text not in PIECES and "\n" not in text and "(不动产单元代码):" not in text and has_chinese(english_message(text)):
                    lacking.append((path.name, text))
    assert not lacking


def _words(node: ast.Constant | ast.JoinedStr) -> str:
    """The text as written, with a number in place of each figure."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in node.values)


def test_a_refusal_says_on_what_in_both_languages():
    fault = refused("wrong_phase", found="签署意见,现为已受理", expected="部门审查中、联席会议中")
    assert fault.zh == "当前环节不能办理这一动作: 签署意见,现为已受理"
    assert fault.en == "this cannot be done in the present step: sign an opinion, now taken in"
    assert in_language(fault.expected, "en", "As the words in brackets say:") == "with the departments, in the meeting"


def test_what_is_not_known_stays_chinese_and_names_are_kept():
    assert english_message("赵自强 签署意见") == "赵自强, sign an opinion" and english_message("赵自强") == "赵自强" and english_message("plain words") == "plain words"
