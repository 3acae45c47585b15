"""Use cases: evaluation (评价)."""
