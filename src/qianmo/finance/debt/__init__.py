"""Debt of a project: repayment plans, sculpting, short-term loan, special bond (债务)."""
