"""Survey from sky and ground: change, deformation, subsidence, goaf, erosion (基础调查)."""
