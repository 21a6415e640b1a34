"""How Sphinx builds the documentation: Markdown pages with mathematics, and the docstrings, in the furo theme."""

import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for api.py, which makes the reference
sys.path.insert(0, str(Path(__file__).parents[1]))  # for the package of this checkout

about = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = about["name"]
author = about["authors"][0]["name"]
project_copyright = f"2026, {author}"
version = release = about["version"]

extensions = [
    "myst_parser", "sphinx.ext.mathjax", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "api",
]  # fmt: skip
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "LEIAME.md"]  # which is for readers of the checkout, as README.md is

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autosummary_generate = False  # every entry stands on the page of its family
napoleon_use_param = napoleon_use_rtype = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"{project} {release}"
