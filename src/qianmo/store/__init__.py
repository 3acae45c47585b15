"""The one room that touches disk (存取层)."""
