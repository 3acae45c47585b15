"""Use cases: library (项目库)."""
