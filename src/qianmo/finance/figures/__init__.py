"""Indicators of a project: present value, rates of return, payback, coverage, break-even (财务评价指标)."""
