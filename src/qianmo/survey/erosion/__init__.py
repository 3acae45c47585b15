"""Erosion by water: factors of the soil-loss equation, grades, delivery (水土流失)."""
