"""The whole-area engine: labelling with prices in compiled loops (全域配置求解器)."""
