"""Taxes of a project: value added, surcharges, income, land value added, one-off taxes (税费)."""
