"""Working folders that vanish, and small settings files (临时目录与配置文件)."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["read_toml", "scratch_folder"]


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A private folder that is removed when the block ends."""
    with tempfile.TemporaryDirectory(prefix="qianmo-") as name:
        yield Path(name)


def read_toml(path: Path) -> dict[str, Any]:
    """A settings file.

    Raises
    ------
    MissingDataError
        The file is not there.
    SchemaError
        The file is not TOML; line and column are named.
    """
    if not path.is_file():
        raise MissingDataError(f"no settings file {path}", cure="check the path (配置文件不存在)")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path} is not a settings file: {error}", expected="TOML in UTF-8") from None
