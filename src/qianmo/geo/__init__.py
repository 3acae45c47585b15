"""The ruler: CRS, area, neighbours, overlay, topology, grid, zonal (尺规层)."""
