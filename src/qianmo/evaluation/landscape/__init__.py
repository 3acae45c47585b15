"""Landscape pattern indices of class rasters and of parcels (景观格局指数)."""
