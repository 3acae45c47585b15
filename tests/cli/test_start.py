"""Ctrl-C while the program is being loaded (启动时中断)."""

from __future__ import annotations

import subprocess
import sys

STRUCK = """
import os, signal, sys

class Striking:
    def find_spec(self, name, *rest):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Striking())
sys.argv = ["qianmo", "plan", "nowhere"]
from qianmo.cli.start import main
sys.exit(main())
"""


def test_an_interrupt_while_the_program_is_loaded_is_answered_without_a_traceback() -> None:
    for module in ("qianmo.cli.main", "rich.console", "qianmo.jobs.registry"):
        done = subprocess.run([sys.executable, "-c", STRUCK.format(module=module)], capture_output=True, text=True, encoding="utf-8", timeout=60)
        assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "已中断; 项目保持原状"), module


def test_the_loaded_program_hears_interrupts_as_before() -> None:
    words = "import signal; before = signal.getsignal(signal.SIGINT)\nimport sys; sys.argv = ['qianmo', 'status', 'nowhere']\n"
    words += "from qianmo.cli.start import main; code = main(); assert signal.getsignal(signal.SIGINT) is before; sys.exit(code)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert done.returncode == 2 and "没有项目" in done.stderr
