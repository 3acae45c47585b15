"""Resistivity of the ground: electrical lines and transient electromagnetics (电阻率法与瞬变电磁)."""
