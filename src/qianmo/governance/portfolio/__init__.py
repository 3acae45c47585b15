"""Which projects start in which year and who pays (年度项目组合)."""
