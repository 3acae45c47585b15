"""Questions to a project that change nothing: catalogue, tiles, what lies here, search, red lines (查询)."""
