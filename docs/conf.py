"""Sphinx settings of the documentation."""

project = "Qianmo 阡陌"
author = "The Qianmo developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
html_theme = "furo"
language = "en"
exclude_patterns = ["_build"]
autodoc_typehints = "signature"
napoleon_numpy_docstring = True
napoleon_google_docstring = False
mathjax_path = ""
nitpicky = False
