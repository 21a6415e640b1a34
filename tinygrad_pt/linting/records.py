"""Records: one of each call of `backward`, and one of each optimizer."""

from __future__ import annotations

from typing import Any

from tinygrad_pt.graph import Leaf
from tinygrad_pt.lines import Line
from tinygrad_pt.listening import Walk
from tinygrad_pt.optim.optimizer import Optimizer
from tinygrad_pt.tensor import Tensor


class Backward:
    """One call of `backward`: from where, through which vertices, to which leaves.

    Attributes:
        tensors, roots: the tensors it starts from, and their vertices.
        nodes: the vertices it goes through, without the leaves.
        leaves: the tensors whose `.grad` it adds to.
        plain: it starts from a loss, and is no row of a Jacobian and no gradient to differentiate again.
        line: the line that calls it.
    """

    def __init__(self, walk: Walk, line: Line | None) -> None:
        self.tensors, self.roots, self.nodes, self.line = walk.outputs, walk.roots, frozenset(walk.nodes), line
        ends = dict.fromkeys(p for p in (*walk.roots, *(p for n in walk.nodes for p in n.parents)) if type(p) is Leaf)
        found = [leaf.handle() for leaf in ends if walk.wanted is None or leaf in walk.wanted]
        self.leaves: list[Tensor] = [t for t in found if isinstance(t, Tensor)]
        self.plain = not walk.given and not walk.create


class Optimized:
    """An optimizer, its steps and its gradients.

    Attributes:
        made, stepped: the lines that made it and that called its last step.
        steps, clearings: how many steps it took, and how many calls of `zero_grad()`.
        passes: how many calls of `backward` reached one of its parameters.
        reached: one did since the last step; and `cleared`: `zero_grad()` was called after it.
    """

    def __init__(self, optimizer: Optimizer, made: Line | None) -> None:
        self.optimizer, self.made = optimizer, made
        self.stepped: Line | None = None
        self.steps = self.clearings = self.passes = 0
        self.reached = self.cleared = False

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The groups; where they are stored, so that listeners do not hear of it."""
        groups: list[dict[str, Any]] = vars(self.optimizer).get("param_groups") or self.optimizer.param_groups
        return groups

    @property
    def rates(self) -> list[float]:
        """The learning rate of each group that has one."""
        return [float(g["lr"]) for g in self.groups if isinstance(g.get("lr"), (int, float, Tensor))]

    @property
    def held(self) -> list[Tensor]:
        """The tensors it holds."""
        return [p for group in self.groups for p in group["params"]]

    @property
    def parameters(self) -> list[Tensor]:
        """The tensors it holds that want a gradient."""
        return [p for p in self.held if p.node is not None]

    @property
    def line(self) -> Line | None:
        """The line that made it; of one made before the linter came, the line that steps it."""
        return self.made or self.stepped

    @property
    def kind(self) -> str:
        return type(self.optimizer).__name__
