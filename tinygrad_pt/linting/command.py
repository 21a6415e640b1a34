"""`python -m tinygrad_pt lint script.py`: run a program as if by itself, and print the findings of the linter."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
import textwrap
import traceback
import types
from collections.abc import Sequence
from typing import TextIO

from tinygrad_pt.language import said
from tinygrad_pt.linting.finding import Finding
from tinygrad_pt.linting.linter import CODES, known, lint

HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def explain(code: str) -> str:
    """The meaning of a code, the exact condition under which it is reported, and the mend.

    >>> print(explain("TG106"))
    TG106: a learning rate of 0
    <BLANKLINE>
    An optimizer took at least 3 steps, and every learning rate was 0 at all of them.
    <BLANKLINE>
    The mend: give it a positive lr, and check its computation: integer division, a schedule that starts at 0?
    """
    (code,) = known(code)
    rule = CODES[code]
    why = textwrap.fill(said(" ".join(inspect.cleandoc(rule.__doc__ or "").split())), 100)
    return f"{rule.code}: {said(rule.title)}\n\n{why}\n\n{said('The mend')}: {said(rule.mend)}"


def table() -> str:
    """All codes as a table in Markdown."""
    rows = [f"| {rule.code} | {rule.title} | {rule.mend} |" for rule in CODES.values()]
    return "\n".join(["| code | the bug | the mend |", "|---|---|---|", *rows])


def run(script: str, arguments: Sequence[str] = (), ignore: Sequence[str] = ()) -> int:
    """Run a script as `__main__` and print findings on stdout: 0 none, 1 some, 2 the script failed."""
    try:
        with open(script, "rb") as file:
            source = file.read()
    except OSError as error:
        text = said(f"cannot read {script}: {error.strerror or error}")
        print(f"tinygrad_pt lint: {text}", file=sys.stderr)
        return 2
    module = types.ModuleType("__main__")
    module.__file__ = script
    before = sys.argv, list(sys.path), sys.modules["__main__"]
    output, errors = Output(sys.stdout), Output(sys.stderr)
    sys.argv, sys.path[0] = [script, *arguments], os.path.dirname(os.path.abspath(script))
    sys.modules["__main__"] = module
    failed = False
    try:
        with lint(ignore=ignore) as findings:
            try:
                exec(compile(source, script, "exec", dont_inherit=True), module.__dict__)
            except SystemExit as leaving:
                failed = leaving.code not in (None, 0)
                if isinstance(leaving.code, str):
                    errors.write(leaving.code + "\n")
            except (Exception, KeyboardInterrupt) as error:  # interrupted: the findings so far are printed
                failed = True
                errors.write(_failure(error))
    finally:
        sys.argv, sys.path[:], sys.modules["__main__"] = before
    output.write("".join(f"{finding}\n" for finding in sorted(findings, key=_place)))
    output.end()
    errors.end()
    return 2 if failed else 1 if findings else 0


def _place(finding: Finding) -> tuple[str, int, str]:
    line = finding.line
    return ("", 0, finding.code) if line is None else (line.file, line.number, finding.code)


def _failure(error: BaseException) -> str:
    """The traceback as the script by itself would print it: without the frames of the linter."""
    steps = [s for s in traceback.extract_tb(error.__traceback__) if not s.filename.startswith(HERE)]
    lines = traceback.format_list(steps) + traceback.format_exception_only(error)
    return "".join(["Traceback (most recent call last):\n", *lines])


class Output:
    """A stream as it is when the script begins: what is written to it arrives, even if the script closes it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        try:
            self.spare: int | None = os.dup(stream.fileno())
        except (OSError, ValueError, AttributeError):  # a stream without a file, as in a notebook or under a test
            self.spare = None

    def write(self, text: str) -> None:
        """Write a text, if it is not empty, and flush it."""
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):  # the script has closed the file, or the stream
            if self.spare is not None:
                with contextlib.suppress(OSError):  # whoever read it has gone
                    if self.stream.closed:
                        os.write(self.spare, text.encode("utf-8", "replace"))
                    else:  # the stream still holds the text, and would fail again when Python ends
                        os.dup2(self.spare, self.stream.fileno())
                        self.stream.flush()

    def end(self) -> None:
        if self.spare is not None:
            os.close(self.spare)
