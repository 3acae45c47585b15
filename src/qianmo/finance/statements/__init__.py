"""The eight statements of a project, their rows and their checks (财务报表)."""
