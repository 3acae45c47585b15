"""Acceptance of works: measured, cut, accepted, paid (验收与核减)."""
