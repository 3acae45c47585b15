"""A desk served by a process of its own, and a real Chromium before it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]


@contextmanager
def served(project: Path) -> Iterator[tuple[str, str, subprocess.Popen]]:
    """The desk of a project: its home, the address of the first user ('' where there is one), and its process."""
    log = project.parent / f"serve-{time.monotonic_ns()}.log"
    with log.open("w", encoding="utf-8") as out:
        words = [sys.executable, "-m", "qianmo.cli.main", "serve", str(project), "--no-browser", "--port", "0"]
        process = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        until = time.monotonic() + 60
        while "Ctrl+C" not in (text := log.read_text(encoding="utf-8")):
            assert process.poll() is None and time.monotonic() < until, text
            time.sleep(0.1)
        addresses = re.findall(r"http://\S+", text)
        yield addresses[0], next((a for a in addresses if "token=" in a), ""), process
    finally:
        process.kill()
        process.wait()
