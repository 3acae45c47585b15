"""Charts that a job leaves in the project for the plan book, whose data are not kept elsewhere (留给成果书的图表)."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from qianmo.schema.book import BookMap

__all__ = ["book_charts", "kept_charts"]

_WIDE_MM = 297.0


def kept_charts(charts: Sequence[tuple[str, bytes]]) -> list[dict[str, str]]:
    """Titles and PNGs as they stand in a small record of the project (图表存档)."""
    return [{"title": title, "png_base64": base64.b64encode(png).decode("ascii")} for title, png in charts]


def book_charts(key: str, record: Mapping[str, Any] | None, said: str, marks: Sequence[str]) -> list[BookMap]:
    """The charts of a record as pages of the book, `key` numbered; none where there is no record (成果书图表).

    `said` stands below each; `marks` are what of it is invented.
    """
    made = []
    for k, chart in enumerate(dict(record or {}).get("charts", []), start=1):
        png = base64.b64decode(chart["png_base64"])
        wide, high = struct.unpack(">II", png[16:24])
        made.append(BookMap(f"{key}_{k:03d}", str(chart["title"]), png, said, tuple(marks), (_WIDE_MM, _WIDE_MM * high / wide)))
    return made
