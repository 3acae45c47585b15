"""Ground-penetrating radar: processing, migration, velocity, depths (探地雷达)."""
