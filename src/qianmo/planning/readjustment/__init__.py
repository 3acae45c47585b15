"""Readjustment of tenure: exchange of parcels, fairness, certificate (权属调整)."""
