"""The desk: the project in the browser (网页入口)."""
