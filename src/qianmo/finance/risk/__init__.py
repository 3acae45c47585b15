"""Risk of a project: random inputs, many scenarios at once, sensitivity, break-even (风险分析)."""
