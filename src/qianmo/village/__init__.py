"""Invented villages and townships for tests, benchmarks and demos (虚拟村镇)."""
