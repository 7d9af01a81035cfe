"""The configuration of the documentation's build: `sphinx-build -W --keep-going -b html docs build/docs`."""

from importlib import metadata

project = "pinnkit"
author = "the authors of pinnkit"
version = release = metadata.version("pinnkit")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["examples/**", "**.ipynb_checkpoints"]
suppress_warnings = ["toc.empty_glob"]

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3  # links to headings, as on GitHub
nb_execution_mode = "off"  # the notebooks are run by the tests, and keep their output

html_theme = "furo"
html_title = f"pinnkit {release}"
