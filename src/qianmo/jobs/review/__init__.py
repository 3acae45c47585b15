"""Use cases: review (联席审查)."""
