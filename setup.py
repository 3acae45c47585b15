"""What is made while the package is built: the words of the desk (.mo) and its map (TypeScript to JavaScript).

Nothing generated is kept in the repository. ``QIANMO_MAP=require`` stops the build where the map cannot be made, ``skip``
leaves it out; otherwise a missing Node or registry is said, and the package is built without the map.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
FRONTEND = ROOT / "frontend"
WEB = ROOT / "src" / "qianmo" / "web"
MAP = WEB / "static" / "map"


class BuildWithDesk(build_py):
    """Makes words and map before the modules are gathered."""

    def run(self) -> None:
        make_words()
        make_map()
        self.data_files = self._get_data_files()
        super().run()


def make_words() -> None:
    """Compile each catalogue of words that is newer than its compiled form."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for source in WEB.glob("locale/*/LC_MESSAGES/django.po"):
        with source.open("rb") as words, source.with_suffix(".mo").open("wb") as out:
            write_mo(out, read_po(words))


def make_map() -> None:
    """Build the map unless it was built from the same sources."""
    wish = os.environ.get("QIANMO_MAP", "")
    if wish == "skip" or not FRONTEND.is_dir():
        return
    stamp, now = MAP / "sources.sha256", sources_hash()
    if stamp.is_file() and stamp.read_text(encoding="ascii") == now and (MAP / "manifest.json").is_file():
        return
    npm = shutil.which("npm")
    if npm is None:
        return without_map("Node is missing; install Node 20 or newer", wish)
    try:
        for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            subprocess.run([npm, *words], cwd=FRONTEND, check=True)
    except (OSError, subprocess.CalledProcessError) as fault:
        return without_map(f"{fault}", wish)
    stamp.write_text(now, encoding="ascii")


def sources_hash() -> str:
    """One hash over everything the map is made from."""
    files = sorted([*FRONTEND.glob("*.json"), *FRONTEND.glob("*.ts"), *(f for f in (FRONTEND / "src").rglob("*") if f.is_file())])
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.name.encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()


def without_map(why: str, wish: str) -> None:
    """Go on without the map, or stop where it is required."""
    if wish == "require":
        raise SystemExit(f"the map of the desk was not built: {why}")
    sys.stderr.write(f"warning: the package is built WITHOUT the map of the desk (网页地图未生成): {why}\n")


setup(cmdclass={"build_py": BuildWithDesk})
