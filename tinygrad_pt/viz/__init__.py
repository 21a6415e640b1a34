"""Pictures of the chain rule: the graph behind a tensor, the local derivative on every edge."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tinygrad_pt.debugging.keeping import keep
from tinygrad_pt.graph import Tensor
from tinygrad_pt.language import chosen, settings
from tinygrad_pt.viz.derivation import Derivation, derived
from tinygrad_pt.viz.drawing import Drawing
from tinygrad_pt.viz.engine import EngineError
from tinygrad_pt.viz.machine import doctor
from tinygrad_pt.viz.model import Edge, Snapshot, Vertex
from tinygrad_pt.viz.naming import Names
from tinygrad_pt.viz.neurons import NeuronDrawing
from tinygrad_pt.viz.options import Look
from tinygrad_pt.viz.player import Player
from tinygrad_pt.viz.plots import (
    GradientNorms,
    Trail,
    confusion,
    curves,
    decision_region,
    feature_maps,
    gradient_norms,
    loss_surface,
    weights,
)
from tinygrad_pt.viz.snapshot import LARGEST, taken
from tinygrad_pt.viz.views import MAX_NODES, Chooser, arrange
from tinygrad_pt.viz.worksheet import Worksheet

__all__ = [
    "Derivation", "Drawing", "Edge", "EngineError", "GradientNorms", "Player", "Snapshot", "Trail", "Vertex",
    "Worksheet", "confusion", "curves", "decision_region", "derive", "doctor", "draw", "feature_maps", "gradient_norms",
    "keep", "loss_surface", "play", "settings", "snapshot", "weights", "worksheet",
]  # fmt: skip


def snapshot(
    outputs: Tensor | Sequence[Tensor], names: Mapping[str, Any] | None = None, title: str = "",
    max_nodes: int = LARGEST, lang: str | None = None, constants: bool = True, verify: bool = False,
) -> Snapshot:  # fmt: skip
    """The graph that tensors were computed by, at this moment, as plain data.

    It keeps neither tensors nor graph alive, and shows no later change. `draw` says what the numbers are.

    Args:
        outputs: a tensor with history, usually the loss, or several.
        names: what tensors are called, besides the names of the caller's variables; `"$w_2$"` is LaTeX. Modules name
            their parameters by path.
        title: the heading of the picture.
        max_nodes: refuse to draw more.
        lang: of the notes, "en" or "pt"; default: `viz.settings.lang`.
        constants: False hides numbers, and constants without a name.
        verify: compare each rule with finite differences of the forward; where they disagree `Edge.wrong` is set.

    Raises:
        TypeError: an output is no tensor. RuntimeError: one has no history. ValueError: there is no output, the graph
            is too large, or the language unknown.

    >>> import tinygrad_pt as torch
    >>> w = torch.tensor(2.0, requires_grad=True)
    >>> [(v.name, v.kind) for v in snapshot([w * w, w.exp()], {"$w_2$": w}).vertices]
    [('w₂', 'param'), ('p1', 'loss'), ('exp1', 'loss')]
    """
    return taken(outputs, Names(names, sys._getframe(1)), title, max_nodes, lang, constants, verify)


def draw(
    outputs: Tensor | Sequence[Tensor], names: Mapping[str, Any] | None = None, *, title: str = "",
    max_nodes: int = MAX_NODES, constants: bool = True, verify: bool = False, view: str = "op",
    depth: int | None = None, collapse: str | Iterable[str] | Chooser | None = None, fold: bool = True,
    example: int = 0, highlight: str | Tensor | Iterable[str | Tensor] | None = None,
    rankdir: str = "auto", edge_labels: str = "auto", lang: str | None = None, theme: str = "auto",
    width: float | None = None, ratio: float | None = None, wrap: bool | int | None = None,
    fontsize: float | None = None, colours: Mapping[str, str] | None = None, dpi: float = 192,
    transparent: bool = False, engine: str = "auto",
) -> Drawing:  # fmt: skip
    """Draw the computation graph of the outputs: one box per value, one edge per argument.

    A box shows name, op, shape, value and gradient (`·` until a backward pass has run from an output); an edge
    shows the local derivative: formula and number for scalars, for arrays the rule applied to the incoming
    gradient ḡ. Everything is computed by the engine's own rules, and `[P]` is 1 where P holds, else 0.

    What the engine let go is computed again from what is held. If something has changed since the graph was
    computed, all numbers are those that it gives with what stands now, and the caption says so. What is not known any
    more, such as a large batch that nobody holds after backward, is `?`, and so is what depends on it: `keep` keeps
    it. Hooks and a Function's backward are not run.

    Args:
        outputs: a tensor with history, usually the loss, or several.
        names: what tensors are called, besides the names of the caller's variables; `"$w_2$"` is LaTeX. Modules name
            their parameters by path.
        title: the heading.
        rankdir: "LR" (left to right) or "TB" (top to bottom); by default from left to right, but where width and
            ratio are given in the direction in which the text is larger.
        edge_labels: "auto", "none", "num", "sym" or "both".
        max_nodes: of a larger graph modules are closed, the innermost first; if that does not suffice, the oldest
            values become one box, `+214 more`.
        view: "op"; "module": modules are single boxes; "neuron": a multilayer perceptron as circles, its weights on the
            lines between them.
        example: the one of a batch whose numbers the neurons show.
        depth: close the modules inside so many others (0: the outermost), and those without modules inside.
        collapse: which modules to close: patterns such as `"layers.*"` or `"*Linear"`, compared with path and class,
            or a function of path and title.
        fold: equal modules in a row are one closed box, `× 12`.
        highlight: names, or tensors: the paths of the chain rule from them are brought out, their factors numbered.
        constants: False hides numbers, and constants without a name.
        verify: compare each rule with finite differences of the forward, and paint red where they disagree.
        lang: "en" or "pt"; default: `viz.settings.lang`.
        theme: "light", "dark", or "auto": the SVG follows its reader's theme, PNG and PDF are light.
        width, ratio: the greatest width in pixels, and width : height. The drawing is cut into rows, like a text into
            lines, as many as fit; with both, the text is made as large as a page of width × width/ratio lets it be.
        wrap: the number of rows; False for one, True for as many as fit.
        fontsize: the size of names in pixels, 13 by default; all else grows with it.
        colours: colours of the kinds "input", "param", "const", "target", "op", "loss", as {"param": "#ffd33d"}.
        dpi: pixels of a PNG for each 96 of the drawing. transparent: without a ground.
        engine: "auto" paints the picture itself; "dot", "pygraphviz" or the path of a Graphviz let that do it.

    Returns:
        A `Drawing`: `.svg`, `.png`, `.pdf`, `.dot`, `.graphviz` (a `graphviz.Digraph`), `.save(path)`; notebooks
        show it.

    Raises:
        RuntimeError: no history. ValueError: more than 20,000 values, an unknown option, or a highlighted value that
            is not in the picture or gets no gradient.

    >>> import tinygrad_pt as torch
    >>> a = torch.tensor(2.0, requires_grad=True); b = torch.tensor(3.0, requires_grad=True)
    >>> c = a * b; c.backward()
    >>> picture = draw(c)
    >>> [(edge.symbol, edge.number) for edge in picture.snapshot.edges]
    [('∂c/∂a = b', 3.0), ('∂c/∂b = a', 2.0)]
    """
    given = Names(names, sys._getframe(1))
    look = Look(
        rankdir, edge_labels, lang, theme, width, ratio, wrap, fontsize, colours or {}, dpi, transparent, engine
    )
    seen = taken(outputs, given, title, LARGEST, lang, constants, verify)
    lit = () if highlight is None else (highlight,) if isinstance(highlight, (str, Tensor)) else tuple(highlight)
    paths = [name if isinstance(name, str) else given.of(name) for name in lit]
    if view == "neuron":
        return NeuronDrawing(seen, look, example)
    return Drawing(arrange(seen, view, depth, collapse, fold, paths, max_nodes, look.language), look)


def play(
    outputs: Tensor | Sequence[Tensor], path: str | os.PathLike[str] | None = None,
    names: Mapping[str, Any] | None = None, *, lang: str | None = None, title: str = "", theme: str = "auto",
    rate: float = 0.5, mode: str = "edge", height: int = 780, max_nodes: int = MAX_NODES,
) -> Player:  # fmt: skip
    """A page that steps forward and backward through the graph of the outputs: one file, which loads nothing.

    The forward pass fills in the values, the backward pass the gradients, in the engine's own order; each step says its
    equation: rule, numbers, result. Sliders change inputs and weights, and the page computes everything again, by
    the ops and the rules that the engine itself has used; it updates the weights too, w ← w − η·∂E/∂w, and goes
    on to the next iteration. A graph with ops that the page does not compute (a convolution, a function of your
    own), or with arrays of more than 256 elements, plays back the numbers of this moment, and says so.

    If no backward pass has run, the page starts its own, with 1 at the outputs.

    Args:
        outputs: a tensor with history, usually the loss, or several.
        path: where to write the page; its name ends in `.html`. None writes nothing.
        names, title, max_nodes: as in `draw`.
        lang: "en" or "pt", the language the page begins in; default: `viz.settings.lang`.
        theme: "auto" (the reader's own), "light" or "dark".
        rate: the learning rate η that the page begins with.
        mode: what one step back is, "edge" (one argument of an op) or "node" (all that reaches one value).
        height: of the frame in a notebook, in pixels.

    Returns:
        A `Player`: `.html`, `.save(path)`; notebooks show it in a frame of its own.

    Raises:
        RuntimeError: no history. ValueError: more than `max_nodes` values, an unknown option, or another ending.

    >>> import tinygrad_pt as torch
    >>> w = torch.tensor(0.5, requires_grad=True)
    >>> player = play(torch.sigmoid(w) ** 2, names={"w": w})
    >>> player, "http-equiv" in player.html
    (<Player of 3 values and 2 edges>, True)
    """
    player = Player(
        taken(outputs, Names(names, sys._getframe(1)), title, max_nodes, lang), lang=chosen(lang), theme=theme,
        rate=rate, mode=mode, height=height,
    )  # fmt: skip
    if path is not None:
        player.save(path)
    return player


def derive(
    loss: Tensor, wrt: Tensor | Sequence[Tensor] | None = None, names: Mapping[str, Any] | None = None, *,
    lang: str | None = None, style: str = "auto", simplify: bool = True, digits: int = 4,
) -> Derivation:  # fmt: skip
    """Derive `loss` by one tensor, or several: the chain rule with its formulas, its numbers and the result.

    Scalars: the sum over the paths from the loss to the tensor, a product of local derivatives for each. Ops between
    two values that have names contract to one factor, so that ∂E/∂w = ∂E/∂o · ∂o/∂net · ∂net/∂w stands there as in
    the book. Where more than 12 paths lead to the tensor, they are counted, and each gradient is derived from those
    before it; so it is with arrays, whose factors are products of matrices, with their shapes. `=` is exact, `≈` is
    rounded; the results are computed from all digits.

    Args:
        loss: a tensor with history and one element.
        wrt: by what: a tensor, a list of tensors, or None for all parameters.
        names: what tensors are called, besides the names of the caller's variables.
        lang: "en" or "pt", with a decimal comma; default: `viz.settings.lang`.
        style: "paths", "recursive" or "auto".
        simplify: False keeps every op, and two uses of one argument apart: ∂d/∂a⁽¹⁾, ∂d/∂a⁽²⁾.
        digits: significant digits of the numbers.

    Returns:
        A `Derivation`: `print()` it; `.text`, `.markdown`, `.latex`, `.mathml`, `.python`; `.paths`, `.value`;
        `.check()` holds it against the engine and a central difference; `.save(path)`. Notebooks show it.

    Raises:
        RuntimeError: no history, or more than one element. ValueError: the loss does not depend on `wrt`, an unknown
            option, or more than 12 paths with `style="paths"`.

    >>> import tinygrad_pt as torch
    >>> w, x, b = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0), torch.tensor(1.0)
    >>> net = w * x + b; o = net**2
    >>> print(derive(o, w))
    net = w·x + b = 2
    o   = net² = 4
    <BLANKLINE>
    ∂o/∂w = ∂o/∂net · ∂net/∂w
    <BLANKLINE>
    ∂o/∂net = 2·net = 4
    ∂net/∂w = x = 2
    <BLANKLINE>
    ∂o/∂w = 4 · 2
          = 8
    """
    return derived(loss, wrt, Names(names, sys._getframe(1)), lang, style, simplify, digits)


def worksheet(
    outputs: Tensor | Sequence[Tensor], blanks: float = 0.4, seed: int = 0, names: Mapping[str, Any] | None = None, *,
    lang: str | None = None, title: str = "", max_nodes: int = 100,
) -> Worksheet:  # fmt: skip
    """An exercise on the graph of the outputs: the picture and the chain rule with numbered blanks, and their key.

    Args:
        outputs: a tensor with history after its backward pass, usually the loss.
        blanks: the share of the numbers that are left out, from 0 to 1.
        seed: the same seed leaves the same blanks.
        names, lang, title: as in `draw`. max_nodes: refuse more values.

    Returns:
        A `Worksheet`: `.save("sheet.html")` (or .pdf, .ipynb), `.save("key.html", key=True)`, and `.check(answers)`,
        which names the first wrong step and the likely mistake; notebooks show it.

    Raises:
        RuntimeError: no history. ValueError: too many values, no number to ask for, or `blanks` is no share.

    >>> import tinygrad_pt as torch
    >>> a = torch.tensor(2.0, requires_grad=True)
    >>> b = a * a
    >>> c = b + a
    >>> c.backward(retain_graph=True)
    >>> sheet = worksheet(c, blanks=1)
    >>> sheet, [item.text for item in sheet.blanks.values()][-1]
    (<Worksheet with 6 blanks of 6 numbers>, '∂c/∂a = ∂c/∂b·∂b/∂a⁽¹⁾ + ∂c/∂b·∂b/∂a⁽²⁾ + ∂c/∂a')
    >>> print(sheet.check({6: 2.0}).first_wrong.why)
    = instead of +=: only the last of the paths is left
    """
    seen = taken(outputs, Names(names, sys._getframe(1)), title, max_nodes, lang, True, False)
    return Worksheet(seen, blanks, seed, lang)
