"""How a project moves through the desks: stages, project library, funds, portfolio, acceptance, joint review (治理)."""
