"""States of a matter and who may move it on (环节流转)."""
