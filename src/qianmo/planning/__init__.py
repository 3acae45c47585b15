"""Plans with a proof: problem, limits, solution, certificate (规划求解)."""
