"""Whether the money of a project keeps to the rules, and how sure that is (资金合规检查)."""
