"""The commands `draw` and `explain`: the graph and the derivation of a formula that is typed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tinygrad_pt import viz
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Tensor
from tinygrad_pt.viz.written import written


def number(text: str) -> tuple[str, Any]:
    """`w=0.5`, `w=0,5` or `x=[1, 2]` as a name and what it stands for.

    >>> number("w=0,5"), number("x=[1, 2.5]")
    (('w', 0.5), ('x', [1, 2.5]))
    """
    name, equals, value = text.partition("=")
    try:
        found = json.loads(value) if value.lstrip().startswith("[") else float(value.replace(",", "."))
    except ValueError:
        equals = ""
    if not equals or not name.strip().isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form w=0.5 or x=[1, 2]")
    return name.strip(), found


def computed(options: argparse.Namespace) -> tuple[Tensor, dict[str, Tensor]]:
    """The formula of the options after its backward pass, and its names."""
    given = dict(map(number, options.at))
    if len(given) < len(options.at):
        raise refuse(ValueError, "--at gives a name two numbers")
    loss, names = written(options.formula, given, options.wrt)
    if loss.numel() != 1:
        mend = "take the sum or the mean of it"
        raise refuse(
            ValueError, f"{options.formula!r} has {loss.numel()} numbers, and a derivative is of one", mend=mend
        )
    loss.backward(retain_graph=True)
    if all(loss is not tensor for tensor in names.values()):
        names["y" if "y" not in names else "result"] = loss
    return loss, names


def draw(options: argparse.Namespace) -> int:
    """The command `draw`: it writes the picture, or the player as .html, and says where."""
    loss, names = computed(options)
    path: Path = options.out
    if path.suffix.lower() == ".html":
        viz.play(loss, path, names=names, lang=options.lang, title=options.formula)
    else:
        viz.draw(loss, names, lang=options.lang, title=options.formula).save(path)
    print(path)
    return 0


def explain(options: argparse.Namespace) -> int:
    """The command `explain`: it prints the chain rule, written out."""
    loss, names = computed(options)
    for name in options.wrt or dict(map(number, options.at)):
        tensor = names[name]
        print(viz.derive(loss, wrt=tensor, names=names, lang=options.lang).text)
    return 0
