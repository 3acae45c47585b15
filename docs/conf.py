"""Sphinx settings of the documentation."""

project = "Qianmo 阡陌"
author = "The Qianmo developers"
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
html_theme = "furo"
language = "en"
exclude_patterns = ["_build"]
html_copy_source = False
