"""Django's own commands for one project: ``python -m qianmo.web.manage PROJECT COMMAND`` (管理命令).

For example ``changepassword NAME`` where nobody can sign in any more.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from qianmo.web.settings import configure

__all__ = ["main"]


def main(project: str, *words: str) -> None:
    """Run one command of Django with the settings of a project."""
    configure(Path(project), database_url=os.environ.get("QIANMO_DATABASE_URL", ""))
    from django.core.management import execute_from_command_line

    execute_from_command_line(["qianmo.web.manage", *words])


if __name__ == "__main__":
    main(*sys.argv[1:])
