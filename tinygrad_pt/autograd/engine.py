"""The backward walk: the chain rule, vertex by vertex, the latest born first.

For ops with one result it is no more than this. `run` computes the same, and also takes care of hooks, listeners, ops
with several results, and the freeing of saved values:

    def chain_rule(root, seed):
        grads = {root: seed}
        for node in order([root]):                      # every vertex comes after all that use it
            g = grads.pop(node)                         # the sum of what they sent back
            rules = node.op.rules_for(len(node.parents))
            for parent, rule in zip(node.parents, rules):
                if isinstance(parent, Node) and rule is not None:
                    r = rule(g, *node.args, **node.attrs)       # rule(g, y, a, b, …): g · ∂y/∂parent
                    r = sum_to(r, shape=parent.shape)           # broadcasting undone
                    grads[parent] = grads[parent] + r if parent in grads else r
        return grads                                    # what is left: the leaves, which are vertices without parents
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from tinygrad_pt.autograd.hooks import NoGradient, accumulate, heeding, pass_hooks, tell_grown
from tinygrad_pt.autograd.saved import as_tensors, flattened, mutated, revive, stale, wrong_shape
from tinygrad_pt.autograd.starts import (
    Inputs,
    Tensors,
    ends_of,
    inputs_of,
    listed,
    seed_of,
    start,
    unbatched,
    zeros_like,
)
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import INNER, PICK, Leaf, Node, Tensor
from tinygrad_pt.inplace import last_change
from tinygrad_pt.listening import Walk
from tinygrad_pt.modes import current, enable_grad
from tinygrad_pt.ops import clone, sum_to
from tinygrad_pt.quiet import SIGNALS
from tinygrad_pt.texts import MATERIALIZED, ONLY_INPUTS, UNUSED

by_birth, generic = attrgetter("born"), np.generic


def order(roots: Iterable[Node], wanted: set[Node] | None = None) -> list[Node]:
    """The vertices whose rules a walk from `roots` calls, latest born first; with `wanted`, only those on the way.

    A vertex is born after its parents, so the order of birth is a topological order. There is no recursion, because a
    graph may be a chain of a million vertices.
    """
    seen = {node for node in roots if node.__class__ in INNER}  # leaves have no rules
    nodes = list(seen)
    for node in nodes:  # the list grows while the loop reads it
        for p in node.parents:
            kind = p.__class__
            if kind in INNER and p not in seen:
                seen.add(p)
                nodes.append(p)
    nodes.sort(key=by_birth, reverse=True)
    if wanted is None:
        return nodes
    leading, on_the_way = set(wanted), []
    for node in reversed(nodes):
        if any(p in leading for p in node.parents if isinstance(p, Node)):
            leading.add(node)
            on_the_way.append(node)
    return on_the_way[::-1]


def walk(
    roots: Sequence[Node],
    seeds: Sequence[Any],
    *,
    retain: bool,
    create: bool,
    wanted: set[Node] | None = None,
    adds: bool = False,
    given: bool = False,
    outputs: Tensors = (),
) -> tuple[dict[Node, Any], Walk | None]:
    """The gradients of Σ rootᵢ · seedᵢ by each leaf, or by each `wanted` vertex; and the walk, if somebody listens.

    Without `create`, the rules compute on arrays, at NumPy's speed. With it they compute on tensors and are recorded:
    each gradient is a graph, which can be differentiated again.

    Args:
        retain: keep the saved values for another walk.
        adds, given: what listeners are told of this walk (see `listening.Walk`).
    """
    nodes = order(roots, wanted)
    heard, listeners = None, current().listeners
    if listeners:
        heard = Walk(listeners, listed(outputs), roots, seeds, nodes, wanted, adds, create, given)
        heard.tell("walking")
    grads: dict[Any, Any] = {}
    for root, seed in zip(roots, seeds):  # noqa: B905 - of one length; a keyword costs more than the loop
        if root in grads:
            grads[root] = grads[root] + seed
        else:  # a leaf keeps what it receives as its `.grad`: not the caller's own memory
            grads[root] = seed if root.parents else clone(seed)
    if not create:
        found = run(nodes, grads, retain, False, wanted, heard)
    else:
        with enable_grad():
            found = run(nodes, grads, retain, True, wanted, heard)
    if heard is not None:
        heard.found = found
        heard.tell("finding")
    return found, heard


def run(
    nodes: list[Node], grads: dict[Any, Any], retain: bool, create: bool, wanted: set[Node] | None = None,
    heard: Walk | None = None,
) -> dict[Node, Any]:  # fmt: skip
    """The walk itself: take the gradient of each vertex, call the rules, add the results to those of the parents."""
    found: dict[Node, Any] = {}
    allowed = None if wanted is None else {*nodes, *wanted}  # no other vertex receives a gradient
    # If nothing has changed in place since the oldest vertex was born, no guard needs a look.
    changed = bool(nodes) and nodes[-1].born < last_change[0]
    node = None
    try:
        for node in nodes:  # before anything is computed: no saved value may be freed or changed
            if node.args is None:
                revive(node)
            if changed and stale(node.guards):
                raise mutated(node)
        for node in nodes:
            g = grads.pop(node, None)
            if g is None:
                continue
            op, attrs = node.op, node.attrs
            args: Any = node.args
            rules: Any = op.rules
            if rules.__class__ is not tuple:
                if op is PICK:
                    collect(node, g if node.extra is None else pass_hooks(node, g, create), grads)
                    continue
                rules = op.rules_for(len(node.parents))
                if op.joins and not node.guards:
                    args = args[:1]
            if create:
                args = as_tensors(node)[: len(args)]
                if op.flat or node.note("flat"):
                    rules = flattened(node, rules)
            if node.extra is not None:
                g = pass_hooks(node, g, create)
                if after := node.note("after"):
                    rules = heeding(after, node, rules, g, args, allowed, create)
            if wanted is not None and node in wanted:
                found[node] = clone(g)
            slot = -1
            for p in node.parents:
                slot += 1
                kind = p.__class__
                if (
                    (kind is Leaf or kind in INNER)
                    and (allowed is None or p in allowed)
                    and (rule := rules[slot]) is not None
                ):
                    try:
                        r = rule(g, *args, **attrs) if attrs else rule(g, *args)
                    except SIGNALS:  # the user has turned warnings into errors
                        if "." in op.name:  # the rule is that of a user's Function
                            raise
                        with np.errstate(all="ignore"):
                            r = rule(g, *args, **attrs)
                    except NoGradient:
                        continue
                    if heard is not None:
                        heard.tell("edge", node, slot, g, r)
                    if r.shape != p.shape:
                        if not op.elementwise:
                            raise wrong_shape(node, slot, r)
                        try:
                            r = sum_to(r, shape=p.shape)
                        except SIGNALS:
                            with np.errstate(all="ignore"):
                                r = sum_to(r, shape=p.shape)
                    if p in grads:
                        try:
                            grads[p] = grads[p] + r
                        except SIGNALS:
                            with np.errstate(all="ignore"):
                                grads[p] = grads[p] + r
                    elif (
                        kind is Leaf and (r is g or (not create and r.base is not None)) and not isinstance(r, generic)
                    ):
                        grads[p] = clone(r)  # a leaf's gradient has memory of its own, and r may be g or a view of it
                    else:
                        grads[p] = r
            if not retain:
                node.args, node.guards = None, ()
    except Exception as error:
        if heard is not None:
            heard.tell("failed", error, node)
        raise
    for node, g in grads.items():  # what is left: leaves, wanted vertices where the walk ends, roots that lead to none
        if node.extra is not None and (allowed is None or node in allowed):
            grads[node] = pass_hooks(node, g, create)
    if wanted is None:
        return grads
    ends = {node: g if isinstance(node, Leaf) else clone(g) for node, g in grads.items() if node in wanted}
    return found | ends


def collect(node: Node, g: Any, grads: dict[Any, Any]) -> None:
    """Add the gradient of one of several results to the list of their gradients, which is the gradient of the op.

    A result that was not used has gradient 0 in the list, or None if a `Function` or the op (note "lean") asks for it.
    """
    (made,) = node.parents
    if made not in grads:
        shapes = made.note("shapes")
        if made.note("lean") or ("ctx" in made.attrs and not made.attrs["ctx"].materialize):
            grads[made] = [None] * len(shapes)
        else:
            kinds = made.note("dtypes", (made.dtype,) * len(shapes))
            zeros = [np.zeros(shape, dtype) for shape, dtype in zip(shapes, kinds, strict=True)]
            grads[made] = [wrap(z) for z in zeros] if isinstance(g, Tensor) else zeros
    parts, part = grads[made], node.attrs["part"]
    parts[part] = clone(g) if parts[part] is None else parts[part] + g


# ------------------------------------------------------------------------------------------ the user's two calls
def backward(
    tensors: Tensors,
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Inputs | None = None,
) -> None:
    """Add ∂(Σ tensorᵢ · gradᵢ)/∂leaf to the `.grad` of every leaf, or of the `inputs`.

    Args:
        tensors: the tensor or tensors to differentiate.
        grad_tensors: their gradients, of the same shapes; None stands for 1 and needs a tensor with one element.
        retain_graph: keep the saved values for another backward (default: as `create_graph`).
        create_graph: record the computation of the gradients, to differentiate them again.
        inputs: the tensors whose `.grad` is added to (default: all leaves).

    Raises:
        RuntimeError: a tensor of several elements has no gradient given, a tensor does not require grad, the graph has
            been freed, or a saved value has changed in place. No `.grad` has changed then.

    >>> import tinygrad_pt as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    roots: Sequence[Node]
    values: Sequence[Any]
    if grad_tensors is None and not create_graph and isinstance(tensors, Tensor) and tensors.node is not None:
        roots, values = (tensors.node,), (seed_of(tensors, None, 0, False),)
    else:
        tensors = listed(tensors)
        roots, values = start(tensors, grad_tensors, create_graph)
    retain = create_graph if retain_graph is None else retain_graph
    wanted = None if inputs is None else ends_of(inputs)
    ends = None if wanted is None else set(wanted)
    found, heard = walk(
        roots, values, retain=retain, create=create_graph, wanted=ends, adds=True, given=grad_tensors is not None,
        outputs=tensors,
    )  # fmt: skip
    for root, value in zip(roots, values):  # noqa: B905
        root.set_note("seed", value)  # pictures show where a backward walk has started, and with what
    for node, g in found.items():
        end: Any = node.handle() if node.__class__ is Leaf else wanted[node]  # type: ignore[index]
        if end is None:
            continue
        if end._grad is None:
            end._grad = g if create_graph else wrap(g)
        else:
            accumulate(end, g, create_graph)
        if node.extra is not None:
            tell_grown(node, end, g, create_graph)
    if heard is not None:
        heard.tell("walked")


def grad(
    outputs: Tensors,
    inputs: Inputs,
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """∂(Σ outputᵢ · gradᵢ)/∂input for each of the inputs, as a tuple; no `.grad` is touched.

    Only the rules between outputs and inputs are called. With `create_graph` the results can be differentiated again.
    An input on which the outputs do not depend is an error; with `allow_unused` its result is None, and with
    `materialize_grads` it is 0. For a dictionary of inputs the result is a dictionary. With `is_grads_batched` the
    first axis of `grad_outputs` counts the seeds, and that of the results the gradients for each.

    >>> import tinygrad_pt as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (dy,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> (ddy,) = torch.autograd.grad(dy, x)
    >>> dy.item(), ddy.item()
    (27.0, 18.0)
    """
    if materialize_grads and allow_unused is False:
        raise refuse(ValueError, MATERIALIZED)
    xs, outputs = inputs_of(inputs, "grad"), listed(outputs)
    retain = create_graph if retain_graph is None else retain_graph
    if not only_inputs:
        warnings.warn(ONLY_INPUTS, FutureWarning, stacklevel=2)
    unused = bool(allow_unused) or materialize_grads
    found: Any
    if is_grads_batched:
        found = unbatched(
            lambda seeds, last: grad(outputs, xs, seeds, retain or not last, create_graph, allow_unused=unused),
            outputs, grad_outputs,
        )  # fmt: skip
    else:
        found = gradients(outputs, xs, grad_outputs, retain, create_graph, unused)
    if materialize_grads:
        found = tuple(zeros_like(t, create_graph) if g is None else g for g, t in zip(found, xs, strict=True))
    return dict(zip(inputs, found, strict=True)) if isinstance(inputs, dict) else found  # type: ignore[return-value]


def gradients(
    outputs: tuple[Tensor, ...], xs: tuple[Tensor, ...], seeds: Any, retain: bool, create: bool, unused: bool
) -> tuple[Tensor | None, ...]:
    """`grad` for one seed per output: one walk."""
    roots, values = start(outputs, seeds, create)
    wanted = {t.node for t in xs if t.node is not None}
    if not unused:
        reachable = {*roots, *(p for node in order(roots, wanted) for p in node.parents if isinstance(p, Node))}
        for i, t in enumerate(xs):
            if t.node not in reachable:
                raise refuse(RuntimeError, UNUSED.format(i))
    found, heard = walk(
        roots, values, retain=retain, create=create, wanted=wanted, given=seeds is not None, outputs=outputs
    )
    if not unused and (missing := next((i for i, t in enumerate(xs) if t.node not in found), None)) is not None:
        raise refuse(RuntimeError, UNUSED.format(missing))
    results = [g if (g := found.get(t.node)) is None or isinstance(g, Tensor) else wrap(g) for t in xs]  # type: ignore[arg-type]
    if heard is not None:
        heard.tell("walked")
    return tuple(results)
