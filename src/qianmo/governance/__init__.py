"""How a project moves through the desks: stages, library, joint review (治理)."""
