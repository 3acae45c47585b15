"""Use cases: open, compute, save, report (作业层)."""
