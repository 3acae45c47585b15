"""Qianmo 阡陌: the open system for comprehensive land consolidation (全域土地综合整治)."""

__version__ = "0.1.0"
