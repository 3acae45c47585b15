"""Use cases: planning (规划)."""
