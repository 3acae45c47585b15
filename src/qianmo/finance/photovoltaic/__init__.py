"""Photovoltaic yield on parcels: weather, sun, terrain, rows, money (光伏发电)."""
