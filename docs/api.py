"""The API reference: turns the marks of its pages into entries, and our docstrings into what Sphinx reads.

A page says which names it wants with a block in its Markdown:

    ```{names} tinygrad_pt.nn
    activation dropout
    ```

These are the public names of `tinygrad_pt.nn` that are defined in files whose names begin with `activation`, then those
of files that begin with `dropout`. `*` stands for all names that are left, and so does an empty block. `= draw doctor`
names them one by one. `{methods}` gives a group of the methods of Tensor. So a new public function appears by itself; a
name without a page fails tests/test_docs.py.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING, Any

import tinygrad_pt as torch

if TYPE_CHECKING:
    from sphinx.application import Sphinx

AIDS = {  # methods of Tensor that have a page of their own, and the functions that say what they do
    "why_nan": "debugging.why_nan", "why_no_grad": "debugging.why", "grad_contributions": "debugging.ledger",
    "graph_alive": "debugging.holders",
}  # fmt: skip
HEADS = ("Args:", "Returns:", "Raises:", "Yields:", "Attributes:")


# ------------------------------------------------------------------------------------------ which names there are
def public(space: str) -> list[str]:
    """The public functions and classes of a namespace."""
    room = importlib.import_module(space)
    names = getattr(room, "__all__", None) or [name for name in vars(room) if not name.startswith("_")]
    found = {name: getattr(room, name) for name in names}
    ours = "tinygrad_pt" if hasattr(room, "__path__") else space  # a file's imports are not its public names
    return [
        name
        for name, value in found.items()
        if (inspect.isroutine(value) or inspect.isclass(value))
        and home(value).startswith(ours)
        and (space in home(value) or not home(value).startswith("tinygrad_pt.compat"))  # those are in docs/names.md
    ]


def home(value: Any) -> str:
    """The module in which a function or class is defined."""
    return getattr(value, "__module__", None) or ""


def chosen(space: str, body: str) -> list[str]:
    """The names of a namespace that the body of a block asks for."""
    if body.startswith("="):
        return body[1:].split()
    room = importlib.import_module(space)
    left = {name: home(getattr(room, name)).split(".")[-1] for name in public(space)}
    found = []
    for start in body.split() or ["*"]:
        found += [name for name in left if start == "*" or left[name].startswith(start)]
        left = {name: file for name, file in left.items() if name not in found}
    return found


def methods(group: str) -> list[str]:
    """A group of the public methods and properties of `Tensor`."""
    return [name for name in sorted(dir(torch.Tensor)) if hasattr(torch.Tensor, name) and group_of(name) == group]


def group_of(name: str) -> str:
    """The group of a method: "properties", "functions" (of the same name), "in place", "debugging", "others"."""
    value = inspect.getattr_static(torch.Tensor, name)
    if name.startswith("_"):
        return ""
    if isinstance(value, property):
        return "properties"
    if not inspect.isroutine(value) or not inspect.getdoc(value):
        return ""  # a slot or a constant
    if name in AIDS:
        return "debugging"
    if value is getattr(torch, name, None):
        return "functions"
    return "in place" if name.endswith("_") else "others"


# ------------------------------------------------------------------------------------------ entries
def expand(page: str) -> str:
    """A page of Markdown with its blocks replaced by the directives of autodoc."""
    page = re.sub(r"(?ms)^```\{names\} (\S+)\n(.*?)^```$", lambda m: entries(m[1], chosen(m[1], m[2].strip())), page)
    return re.sub(r"(?ms)^```\{methods\} ([\w ]+)\n```$", lambda m: tensor_entries(m[1]), page)


def entries(space: str, names: list[str]) -> str:
    """A table of names with their first sentences, and an entry for each of them."""
    room = importlib.import_module(space)
    lines = [f".. currentmodule:: {space}", "", ".. autosummary::", "   :nosignatures:", ""]
    lines += [f"   {name}" for name in names] + [""]
    for name in names:
        value = None if name.startswith("Tensor.") else getattr(room, name)
        if value is None:
            lines += [f".. automethod:: {name}", ""]
        elif inspect.isclass(value):
            error = issubclass(value, Exception)
            options = [] if error else ["   :members:"]
            options += ["   :exclude-members: extra_repr"] if options and name != "Module" else []
            lines += [f".. auto{'exception' if error else 'class'}:: {name}", *options, ""]
        else:
            lines += [f".. autofunction:: {name}", ""]
    return fenced(lines)


def tensor_entries(group: str) -> str:
    """The entries of a group of methods of `Tensor`; functions of the same name have theirs already."""
    names = methods(group)
    if group == "functions":
        *most, last = (f":func:`{name} <tinygrad_pt.{name}>`" for name in names)
        return fenced([*(f"{each}," for each in most), f"{last}."])  # docutils refuses very long lines
    lines = [".. currentmodule:: tinygrad_pt", "", ".. autosummary::", "   :nosignatures:", ""]
    lines += [f"   Tensor.{name}" for name in names] + [""]
    kind = "property" if group == "properties" else "method"
    return fenced(lines + [f".. auto{kind}:: Tensor.{name}\n" for name in names])


def fenced(lines: list[str]) -> str:
    return "\n".join(["````{eval-rst}", *lines, "````"])


# ------------------------------------------------------------------------------------------ docstrings
def own_name(path: str, value: Any) -> str:
    """The name of a function, if `path` is another one under which its module has it; else nothing."""
    space, _, name = path.rpartition(".")
    own = getattr(value, "__name__", name)
    return own if own != name and getattr(importlib.import_module(space), own, None) is value else ""


LITERAL = re.compile(r"(:\w+(?::\w+)?:`[^`]+`|``.+?``|`[^`\n]+(?:\n[^`\n]+)?`)")


def reworded(lines: list[str]) -> list[str]:
    """A docstring of ours as reStructuredText: `code` becomes a literal, indented formulas a block, all else is text.

    >>> reworded(["|a| is `abs(a)`.", "", "    y = a_1 * x", "", "Args:", "    x: `Tensor`"])
    ['\\\\|a\\\\| is ``abs(a)``.', '', '::', '', '    y = a_1 * x', '', 'Args:', '    x: ``Tensor``']
    """
    done: list[str] = []
    for block in re.split(r"\n(?=\n)", "\n".join(lines)):  # paragraphs, each with the empty line before it
        text = block.lstrip("\n")
        if text.lstrip().startswith(">>>"):
            done += block.split("\n")
        elif text.startswith("    ") and not any(line in HEADS for line in done[-1:]) and not within(done):
            done += ["", "::", *block.split("\n")] if block.startswith("\n") else ["::", "", *block.split("\n")]
        else:
            if text.startswith("Raises:"):  # one error per line, for napoleon
                block = re.sub(r"\.\s+([A-Z]\w+(?:, [A-Z]\w+)*:\s)", r".\n    \1", block)
            done += markup(block).split("\n")
    return done


def within(done: list[str]) -> bool:
    """Whether the lines so far end inside a section such as `Args:`."""
    flush = [line for line in done if line and not line.startswith(" ")]
    return bool(flush) and flush[-1] in HEADS


def markup(text: str) -> str:
    """A paragraph with its `code` as literals and its other characters as they are."""
    done = ""
    for i, part in enumerate(LITERAL.split(text)):
        if i % 2 == 0:
            glue = "\\ " if i and re.match(r"\w", part) else ""  # a literal ends where no letter follows
            part = re.sub(r"([\\*|`])", r"\\\1", part)
            part = re.sub(r"(?m)^(\s*)\\\* ", r"\1* ", re.sub(r"(?<=\w)_(?!\w)", r"\\_", part))  # but bullets stay
        else:
            glue = "\\ " if re.search(r"\w$", done) else ""
            part = part if part.startswith((":", "``")) else f"``{' '.join(part.strip('`').split())}``"
        done += glue + part
    return done


def without_any(signature: str) -> str:
    """A signature without the annotations that say nothing, and without the modules of types."""
    signature = re.sub(r"~?\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", signature)  # Any for typing.Any
    signature = re.sub(r": Any = ", "=", signature)
    return re.sub(r": Any(?=[,)])| -> Any$", "", signature)


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this."""

    def read(app: Sphinx, page: str, source: list[str]) -> None:
        source[0] = expand(source[0])

    def docstring(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
        if what == "function" and (own := own_name(name, value)):
            lines[:] = [f"Another name of :func:`{own}`.", ""]
        else:
            aid = name.rpartition(".")[2]
            if what == "method" and aid in AIDS:
                function = getattr(importlib.import_module(f"tinygrad_pt.{AIDS[aid]}"), aid)
                lines[:] = [*inspect.cleandoc(function.__doc__).split("\n"), ""]
            lines[:] = reworded(lines)
            if what == "property":  # napoleon would take the words before a colon for a type, unless a line ends there
                lines[:1] = lines[0].replace(": ", ":\n", 1).split("\n")

    def signature(app: Sphinx, what: str, name: str, value: Any, options: Any, text: str, returns: str) -> Any:
        return text and without_any(text), returns and without_any(f" -> {returns}").removeprefix(" -> ")

    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", docstring, priority=100)  # before napoleon, which reads `Args:`
    app.connect("autodoc-process-signature", signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
