"""Changes of the tables of the desk, in order (数据库迁移)."""
