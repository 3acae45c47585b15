"""Change of the land between images: detectors, thresholds, accuracy (变化检测)."""
