"""Uploads for the desk: take files in, keep the answers of the wizard, write them as a recipe (上传与入库向导)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameter
from qianmo.schema.tables import table_names, table_spec
from qianmo.store.durable import replace_text, toml_key, toml_value
from qianmo.store.guard_limits import default_limits
from qianmo.store.guard_magic import EXPECTED
from qianmo.store.quarantine import INSIDE, Half, batch_folder, batches, clear_halves, read_record, remove_batch, write_record

__all__ = ["red_line_limit_mb",
    "ACCEPTED", "begin_upload", "broken_off", "keep_answers", "keep_batch", "keep_look", "look_of", "open_questions", "province_boxes", "recipe_record", "remove_upload", "still_to_do",
    "table_words", "upload", "upload_files", "upload_limit_mb", "uploads",
]  # fmt: skip

ACCEPTED = (*EXPECTED, ".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx")
"""Endings that the field of files proposes; the guard decides by content."""

_BATCH = "batch.json"


def begin_upload(project: Path, *, most_mb: float | None = None) -> Half:
    """An upload under way; hidden until it is finished; of at most so many MB where that is said (开始上传)."""
    return Half(project, default_limits(None if most_mb is None else {"guard_file_max_mb": most_mb}))


def upload_files(project: Path, number: str) -> Path:
    """Folder of one upload with the files as they came (上传的文件).

    Raises
    ------
    MissingDataError
        There is none of that number.
    """
    return batch_folder(project, number) / INSIDE


def keep_look(project: Path, number: str, look: dict[str, Any]) -> None:
    """Keep what a look at an upload found, in one step (保存预检结果)."""
    write_record(batch_folder(project, number), "look.json", look)


def red_line_limit_mb() -> float:
    """Largest file of a red line. [MB]"""
    return parameter("red_line_file_max_mb")


def upload_limit_mb() -> float:
    """Largest upload. [MB]"""
    return parameter("guard_file_max_mb")


def broken_off(project: Path) -> int:
    """Remove uploads that were broken off; gives how many (清理未完成上传)."""
    return clear_halves(project)


def uploads(project: Path) -> list[dict[str, Any]]:
    """Uploads that are kept, the newest first (上传清单)."""
    return batches(project)


def upload(project: Path, number: str) -> dict[str, Any]:
    """The record of one upload (上传记录).

    Raises
    ------
    MissingDataError
        There is none of that number.
    """
    return read_record(batch_folder(project, number), _BATCH)


def keep_batch(project: Path, number: str, **changed: Any) -> dict[str, Any]:
    """Change the record of an upload in one step (更新上传记录)."""
    folder = batch_folder(project, number)
    record = read_record(folder, _BATCH) | changed
    write_record(folder, _BATCH, record)
    return record


def keep_answers(project: Path, number: str, answers: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Keep the answers of the wizard and the recipe that says the same (保存答复).

    Raises
    ------
    SchemaError
        An answer cannot be read.
    """
    from qianmo.jobs.recipe import recipe_from_file

    folder = batch_folder(project, number)
    record = recipe_record(answers)
    recipe_from_file(record, folder)
    replace_text(folder / "recipe.toml", _toml(record, now))
    return keep_batch(project, number, answers=dict(answers))


def recipe_record(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe of an upload from the answers of the wizard (入库方案)."""
    each = {k: {a: b for a, b in dict(v).items() if b not in ("", None, False, {})} for k, v in dict(answers.get("each", {})).items()}
    source: dict[str, Any] = {"path": INSIDE, "each": {k: v for k, v in each.items() if v}}
    source |= {k: answers[k] for k in ("vintage", "synthetic") if answers.get(k)}
    record: dict[str, Any] = {"source": [source]}
    if answers.get("county"):
        record["project"] = {"county_code": str(answers["county"])}
    if answers.get("helmert"):
        record["helmert"] = _helmert(str(answers["helmert"]))
    return record


def look_of(project: Path, number: str) -> dict[str, Any]:
    """What the last look found; empty before it (预检结果)."""
    return read_record(batch_folder(project, number), "look.json")


def still_to_do(look: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Errors that keep an upload out, each with the name of its source or layer (待解决项)."""
    rows = [x for x in (*look.get("sources", ()), *look.get("layers", ())) if x["error"] and not x["skip"]]
    found = [{**x["error"], "name": x["name"]} for x in rows]
    if look.get("error"):
        found.append({**look["error"], "name": ""})
    if look and not found and not look.get("taken"):
        found.append({"type": "MissingDataError", "found": "没有可入库的图层", "expected": "至少一个图层", "cure": "补充文件, 或取消不入库的勾选", "choices": [], "step": 1, "name": ""})
    return found


def open_questions(look: Mapping[str, Any], step: int) -> int:
    """The step to show: the one asked for, or an earlier one that still has an open question (应到步骤)."""
    return min([step, *(e["step"] for e in still_to_do(look))])


def remove_upload(project: Path, number: str) -> None:
    """Remove an upload with its files (删除上传)."""
    remove_batch(project, number)


def province_boxes() -> dict[str, tuple[float, float, float, float]]:
    """Longitude-latitude boxes of the provinces (省级范围)."""
    from qianmo.onemap.evidence import shipped_admin_boxes

    return {c: b for c, b in shipped_admin_boxes().items() if len(c) == 2}


def table_words() -> dict[str, str]:
    """Tables that a layer can become, with their names (可选图层类型)."""
    from qianmo.onemap.recognise import KINDS, OTHER

    return {n: table_spec(n).zh for n in (*KINDS, OTHER) if n in table_names()}


def _helmert(text: str) -> dict[str, float]:
    try:
        numbers = [float(x) for x in text.replace("，", ",").split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (3, 7):
        raise SchemaError(f"datum parameters {text!r}", expected="dx,dy,dz or dx,dy,dz,rx,ry,rz,ppm (m, arc-seconds, ppm)")
    return dict(zip(("dx", "dy", "dz", "rx", "ry", "rz", "scale_ppm"), numbers, strict=False))


def _toml(record: Mapping[str, Any], now: datetime) -> str:
    lines = [f"# 网页入库向导写成的方案, {now.isoformat(timespec='seconds')}; 也可用于 qianmo ingest --recipe"]
    for section in ("project", "helmert"):
        if section in record:
            lines += [f"[{section}]", *(f"{toml_key(k)} = {_value(v)}" for k, v in record[section].items())]
    for source in record["source"]:
        lines += ["[[source]]", *(f"{toml_key(k)} = {_value(v)}" for k, v in source.items() if k != "each")]
        for name, answers in source["each"].items():
            lines += [f"[source.each.{toml_key(name)}]", *(f"{toml_key(k)} = {_value(v)}" for k, v in answers.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml_value(str(k))} = {_value(v)}" for k, v in value.items()) + " }"
    return toml_value(value)
