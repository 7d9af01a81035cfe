"""The configuration of the documentation's build: `sphinx-build -W --keep-going -b html docs build/docs`."""

import sys
from importlib import metadata
from pathlib import Path

sys.path.append(str(Path(__file__).with_name("_ext")))

project = "pinnkit"
author = "the authors of pinnkit"
copyright = author
version = release = metadata.version("pinnkit")

extensions = [
    "repository",
    "myst_nb",
    "sphinx.ext.mathjax",  # formulas are set in the browser, by a script from a content delivery network
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["examples/**", "_ext/**", "**.ipynb_checkpoints"]

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3  # links to headings, as on GitHub
nb_execution_mode = "off"  # the notebooks are run by the tests, and keep their output

html_theme = "furo"
html_title = f"pinnkit {release}"
html_extra_path = ["llms.txt"]
