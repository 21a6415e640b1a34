"""How Sphinx builds the documentation: Markdown pages with mathematics, in the furo theme."""

import tomllib
from pathlib import Path

about = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = about["name"]
author = about["authors"][0]["name"]
project_copyright = f"2026, {author}"
version = release = about["version"]

extensions = ["myst_parser", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"{project} {release}"
