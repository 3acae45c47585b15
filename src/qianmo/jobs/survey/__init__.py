"""Use cases: survey (调查监测)."""
