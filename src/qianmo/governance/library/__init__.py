"""The project library: check, score, rank, compare (项目库)."""
