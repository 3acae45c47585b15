"""Use cases: book (成果书)."""
