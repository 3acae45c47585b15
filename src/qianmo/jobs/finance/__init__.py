"""Use cases: finance (项目资金)."""
