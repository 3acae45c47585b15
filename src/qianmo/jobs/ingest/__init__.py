"""Use cases: ingest (数据入库)."""
