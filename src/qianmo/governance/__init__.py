"""Governance: stages, project library, funds, portfolio, acceptance (治理)."""
