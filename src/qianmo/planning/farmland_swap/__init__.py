"""Adjustment of permanent basic farmland, and selection of sites and fields (永久基本农田布局调整)."""
