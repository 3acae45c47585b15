"""What a project of money is made of: sub-projects, dated lines, loans, transfers, parties (项目资金要素)."""
