"""Rows with one formula each across the years: the engine, the explanation and the workbook share them (逐年算式表)."""
