"""Tables, maps, charts and documents as bytes (成果输出)."""
