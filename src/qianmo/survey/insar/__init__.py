"""Ground motion from stacks of unwrapped radar interferograms (合成孔径雷达干涉时序)."""
