"""One file a limit, each with its rule id (约束条件)."""
