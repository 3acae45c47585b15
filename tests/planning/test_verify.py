"""Who checks a plan shares nothing with who makes it (核验独立性)."""

from __future__ import annotations

import ast
from pathlib import Path

PLANNING = Path("src/qianmo/planning")


def imports_of(path: Path) -> set[str]:
    """Modules a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_the_checker_imports_no_solver_and_nothing_that_makes_plans(repo: Path) -> None:
    names = set.union(*(imports_of(repo / PLANNING / f"{name}.py") for name in ("verify", "case_bounds", "problem")))
    assert {n for n in names if n.startswith("qianmo")} == {"qianmo.planning.case_bounds", "qianmo.planning.problem", "qianmo.schema.errors"}
    assert {n.split(".")[0] for n in names if not n.startswith("qianmo")} <= {
        "__future__", "collections", "dataclasses", "hashlib", "itertools", "math", "numpy", "typing",
    }  # fmt: skip


def test_no_file_of_the_room_imports_solvers_that_clash(repo: Path) -> None:
    files = sorted((repo / PLANNING).rglob("*.py"))
    assert len(files) > 20
    assert not {n.split(".")[0] for f in files for n in imports_of(f)} & {"highspy", "linopy", "pulp"}


def test_the_stand_alone_checker_uses_numpy_alone_and_is_short(repo: Path) -> None:
    script = repo / "src/qianmo/store/check_plan.py"
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 200
    assert {n.split(".")[0] for n in imports_of(script)} == {"hashlib", "json", "math", "numpy", "pathlib", "sys", "zipfile"}


def test_the_checker_of_an_exchange_imports_no_solver_and_nothing_that_makes_exchanges(repo: Path) -> None:
    names = imports_of(repo / PLANNING / "readjustment" / "exchange_verify.py")
    assert not {n for n in names if n.startswith("qianmo")}
    assert {n.split(".")[0] for n in names} <= {"__future__", "collections", "hashlib", "json", "numpy", "shapely", "typing"}
