"""Property-right integration of scattered titles in old factory areas (零散产权整合)."""
