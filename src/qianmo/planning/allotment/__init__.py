"""Field design and block re-allotment: roads and ditches to fields, fields to lots of exact value (田块设计与块内分地)."""
