"""Evaluation of the present state, potential and compliance (现状评价与合规审查)."""
