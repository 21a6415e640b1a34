"""A linter for silent bugs: `with tinygrad_pt.lint() as findings:`, or `python -m tinygrad_pt lint script.py`.

It watches the program run: ops, calls of modules, backward, optimizers. Nothing is watched outside.
"""

from tinygrad_pt.linting.finding import Finding, LintError
from tinygrad_pt.linting.linter import CODES, RULES, lint
from tinygrad_pt.linting.rule import Rule
