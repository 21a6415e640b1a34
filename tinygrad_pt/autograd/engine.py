"""The backward walk: reachable nodes, latest born first, each reading its rules to the gradient it received."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import OPS, PICK, SAVED, Handle, Leaf, Node, wrap
from tinygrad_pt.inplace import last_change, touched
from tinygrad_pt.modes import enable_grad, watched
from tinygrad_pt.ops import clone, sum_to

SECOND = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
    "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
    "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
    "saved tensors after calling backward."
)


def order(roots: Iterable[Node], wanted: set[Node] | None = None) -> list[Node]:
    """The nodes whose rules a walk from `roots` reads, latest born first; with `wanted`, only those on the way.

    A node is born after its arguments, so sorting by birth is a topological order. No recursion: a chain of a
    million nodes is an ordinary graph.
    """
    seen = {node for node in roots if node.__class__ is Node}  # leaves have no rules
    nodes = list(seen)
    for node in nodes:  # which grows as it is read
        for p in node.parents:
            if p.__class__ is Node and p not in seen:
                seen.add(p)
                nodes.append(p)
    nodes.sort(key=by_birth, reverse=True)
    if wanted is None:
        return nodes
    leading = set(wanted)
    for node in reversed(nodes):
        if any(p in leading for p in node.parents if isinstance(p, Node)):
            leading.add(node)
    return [
        node for node in nodes if node in leading and any(p in leading for p in node.parents if isinstance(p, Node))
    ]


by_birth = attrgetter("born")


def check(nodes: list[Node]) -> None:
    """Before anything is computed: every saved value must still be there, and be what it was."""
    changed = bool(nodes) and nodes[-1].born < last_change[0]  # else nothing can have changed since the oldest node
    for node in nodes:
        if node.args is None:
            raise refuse(RuntimeError, SECOND, node.op.name, scope=node.scope)
        if changed:
            guards = node.guards
            for i in range(0, len(guards), 2):
                if guards[i][0] != guards[i + 1]:
                    raise mutated(node, i)


def mutated_text(value: Any, origin: Any, version: int, expected: int) -> str:
    """PyTorch's sentence about a saved value that an in-place operation has changed."""
    kind = f"[torch.{dtypes.of(value.dtype).spoken}Tensor {list(value.shape)}]"
    if isinstance(origin, Node) and not isinstance(origin, Leaf):
        kind += f", which is output 0 of {origin.name().split('Backward')[0]},"
    return (
        f"one of the variables needed for gradient computation has been modified by an inplace operation: {kind} is "
        f"at version {version}; expected version {expected} instead. Hint: enable anomaly detection to find the "
        "operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def mutated(node: Node, i: int) -> Exception:
    """The error about the saved value behind the i-th entry of a node's guards."""
    value, origin = [
        (a, p) for a, p in zip(node.args or (), (node, *node.parents), strict=True) if isinstance(a, SAVED)
    ][i // 2]
    return refuse(
        RuntimeError,
        mutated_text(value, origin, node.guards[i][0], node.guards[i + 1]),
        node.op.name,
        *node.parents,
        scope=node.scope,
        mend=f"{node.op.name} saved that value: change a clone() of it, or use the out-of-place form",
    )


def walk(
    roots: Sequence[Node],
    seeds: Sequence[Any],
    *,
    retain: bool,
    create: bool,
    wanted: set[Node] | None = None,
    adds: bool = False,
    unwatched: bool = False,
) -> dict[Node, Any]:
    """The gradients of Σ rootᵢ · seedᵢ, per leaf, or per `wanted` node.

    Without `create` all is arrays, and the rules run at NumPy's speed. With it all is tensors and recording
    stays on, so the gradient is a graph itself; that is all there is to higher derivatives. Where somebody
    watches, the pass is theirs; `adds` tells them whether what is found will be added to `.grad`.
    """
    if not unwatched and (watch := watched()) is not None:
        found: dict[Node, Any] = watch(roots, seeds, adds, retain=retain, create=create, wanted=wanted)
        return found
    nodes = order(roots, wanted)
    check(nodes)
    grads: dict[Any, Any] = {}
    for root, seed in zip(roots, seeds):  # noqa: B905 - of one length; a keyword costs more than the loop
        grads[root] = grads[root] + seed if root in grads else seed if root.parents else clone(seed)
    if not create:
        return run(nodes, grads, retain, False, wanted)
    with enable_grad():
        return run(nodes, grads, retain, True, wanted)


def run(nodes: list[Node], grads: dict[Any, Any], retain: bool, create: bool, wanted: set[Node] | None) -> Any:
    """Pop each node's gradient, read its rules to it, add the results to its parents' gradients."""
    found: dict[Node, Any] = {}
    reached = None if wanted is None else {*nodes, *wanted}
    for node in nodes:
        g = grads.pop(node, None)
        if g is None:
            continue
        if node.extra is not None:
            g = listen(node, g, create)
        op, attrs = node.op, node.attrs
        args: Any = node.args
        rules, slot = op.rules, 0
        if rules.__class__ is not tuple:
            if op is PICK:
                collect(node, g, grads)
                continue
            rules = op.rules_for(len(node.parents))
        if create:
            args = tensors(node)
        if wanted is not None and node in wanted:
            found[node] = clone(g)
        for p in node.parents:
            kind = p.__class__
            if (kind is Node or kind is Leaf) and (reached is None or p in reached) and rules[slot] is not None:
                try:
                    r = rules[slot](g, *args, **attrs) if attrs else rules[slot](g, *args)
                except RuntimeWarning:  # NumPy's warnings made errors by somebody: inf and nan are values all the same
                    with np.errstate(all="ignore"):
                        r = rules[slot](g, *args, **attrs)
                if r.shape != p.shape:
                    if not op.elementwise:
                        raise wrong_shape(node, slot, r)
                    r = sum_to(r, shape=p.shape)
                if p in grads:
                    try:
                        grads[p] = grads[p] + r
                    except RuntimeWarning:
                        with np.errstate(all="ignore"):
                            grads[p] = grads[p] + r
                elif kind is Leaf and (r is g or (not create and r.base is not None)) and not isinstance(r, np.generic):
                    grads[p] = clone(r)  # a leaf's gradient is memory of its own: others hold g too
                else:
                    grads[p] = r
            slot += 1
        if not retain:
            node.args, node.guards = None, ()
    for node, g in grads.items():  # what nobody popped: leaves, wanted nodes where the walk ended, roots off the way
        if node.extra is not None and (reached is None or node in reached):
            grads[node] = listen(node, g, create)
    if wanted is None:
        return grads
    ends = {node: g if isinstance(node, Leaf) else clone(g) for node, g in grads.items() if node in wanted}
    return found | ends


def tensors(node: Node) -> tuple[Any, ...]:
    """What the rules of a node are read with when the gradient is recorded: saved values as tensors again."""
    versions = iter(node.guards[::2])
    return tuple(
        wrap(a, p if isinstance(p, Node) else None, next(versions)) if isinstance(a, SAVED) else a
        for a, p in zip(node.args or (), (node, *node.parents), strict=True)
    )


def collect(node: Node, g: Any, grads: dict[Any, Any]) -> None:
    """Put the gradient of one result beside those of its siblings; results nobody used have gradient 0.

    Or None, where a user's Function wants to see which ones are missing.
    """
    (master,) = node.parents
    if master not in grads:
        shapes = master.note("shapes")
        if "ctx" in master.attrs and not master.attrs["ctx"].materialize:
            grads[master] = [None] * len(shapes)
        else:
            kinds = master.note("dtypes", (master.dtype,) * len(shapes))
            zeros = [np.zeros(shape, dtype) for shape, dtype in zip(shapes, kinds, strict=True)]
            grads[master] = [wrap(z) for z in zeros] if isinstance(g, Handle) else zeros
    parts, part = grads[master], node.attrs["part"]
    parts[part] = clone(g) if parts[part] is None else parts[part] + g


def wrong_shape(node: Node, slot: int, r: Any) -> Exception:
    expected = list(node.parents[slot].shape)
    return refuse(
        RuntimeError,
        f"Function {node.name()} returned an invalid gradient at index {slot} - got {list(r.shape)} but expected shape "
        f"compatible with {expected}",
        node.op.name,
        *node.parents,
        scope=node.scope,
        mend="return a gradient of the argument's own shape",
    )


def listen(node: Node, g: Any, create: bool) -> Any:
    """Let the hooks of a vertex see, and perhaps replace, its gradient; keep it where `retain_grad` asked."""
    for hook in tuple(node.note("hooks", {}).values()):
        given = g if create else wrap(g)
        answer = hook(given)
        if answer is not None:
            if (wrong := refused(node, hook, given, answer)) is not None:
                raise wrong
            g = answer if create else answer.array
    for link in node.note("retained", ()):
        t = link()
        if t is not None:
            accumulate(t, clone(g), create)
    return g


def refused(node: Node, hook: Any, given: Any, answer: Any) -> Exception | None:
    """What is wrong with a hook's answer, if anything."""
    if not isinstance(answer, Handle):
        return TypeError(f"expected Variable, but hook returned '{type(answer).__name__}'")
    if answer.array.shape != node.shape:
        what, should = "size of value", f"shape {list(node.shape)}"
    elif answer.array.dtype != given.array.dtype:
        was, got = (f"torch.{dtypes.of(t.array.dtype).spoken}Tensor" for t in (given, answer))
        what, should = f"type of value (was {was} got {got})", f"dtype {given.array.dtype}"
    else:
        return None
    return refuse(
        RuntimeError,
        f"hook '{getattr(hook, '__name__', '<unknown>')}' has changed the {what}",
        node.op.name,
        answer,
        mend=f"return a tensor of {should}, or None",
    )


def accumulate(t: Any, g: Any, create: bool) -> None:
    """Add to a tensor's `.grad`: in place into the same object, unless the gradient is a graph."""
    seen = t._grad
    if seen is None:
        t._grad = g if create else wrap(g)
    elif create or seen.node is not None:
        t._grad = seen + (g if create else wrap(g))
    else:
        with np.errstate(all="ignore"):
            np.add(seen.array, g, out=seen.array)
        touched(seen)


def seed_of(t: Any, grad: Any, index: int, create: bool) -> Any:
    """The gradient a root starts with: 1 for a scalar, or what the caller gives, of the root's shape."""
    x = t.array
    if grad is None:
        if x.size != 1:
            raise refuse(
                RuntimeError,
                "grad can be implicitly created only for scalar outputs",
                mend="reduce it first, e.g. loss.sum().backward(), or pass gradient=",
            )
        if not x.shape:
            return wrap(np.ones_like(x)) if create else x.dtype.type(1)
        seed = np.ones_like(x)
    elif not isinstance(grad, Handle):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(grad).__name__}")
    elif grad.array.shape != x.shape:
        raise refuse(
            RuntimeError,
            f"Mismatch in shape: grad_output[{index}] has a shape of torch.Size({list(grad.array.shape)}) and "
            f"output[{index}] has a shape of torch.Size({list(x.shape)}).",
            mend="the gradient of a tensor has the tensor's shape",
        )
    else:
        seed = grad if create else grad.array
        if grad.array.dtype != x.dtype:
            seed = OPS["cast"](seed, dtype=x.dtype)
    return wrap(seed) if create and not isinstance(seed, Handle) else seed


def start(outputs: Sequence[Any], grads: Sequence[Any], create: bool) -> tuple[list[Node], list[Any]]:
    """Roots and seeds of a walk, all checked before any of it begins."""
    if len(outputs) != len(grads):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(grads)} gradients")
    roots, seeds = [], []
    for i, t in enumerate(outputs):
        if t.node is None:
            raise refuse(
                RuntimeError,
                f"element {i} of tensors does not require grad and does not have a grad_fn",
                mend="some tensor it was computed from must have requires_grad=True, outside no_grad()",
            )
        roots.append(t.node)
        seeds.append(seed_of(t, grads[i], i, create))
    return roots, seeds


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add ∂(Σ tensorᵢ · gradᵢ)/∂leaf to the `.grad` of every leaf, or of the `inputs`.

    Args:
        tensors: the tensor or tensors to differentiate.
        grad_tensors: their seeds, of the same shapes; a scalar's default is 1.
        retain_graph: keep what the rules need, for another backward (default: as `create_graph`).
        create_graph: record the computation of the gradients, to differentiate them again.
        inputs: the tensors whose `.grad` is to grow; default: all leaves.

    Raises:
        RuntimeError: a non-scalar without seed, nothing to differentiate, a graph already freed, a saved value
            changed in place. Then no `.grad` has changed.

    >>> import tinygrad_pt as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    roots: Sequence[Node]
    values: Sequence[Any]
    if grad_tensors is None and not create_graph and isinstance(tensors, Handle) and tensors.node is not None:
        roots, values = (tensors.node,), (seed_of(tensors, None, 0, False),)
    else:
        outputs = (tensors,) if isinstance(tensors, Handle) else tuple(tensors)
        seeds = grad_tensors if isinstance(grad_tensors, (tuple, list)) else (grad_tensors,) * len(outputs)
        roots, values = start(outputs, seeds, create_graph)
    retain = create_graph if retain_graph is None else retain_graph
    wanted = None
    if inputs is not None:
        inputs = (inputs,) if isinstance(inputs, Handle) else tuple(inputs)
        if not inputs:
            raise RuntimeError("'inputs' argument to backward() cannot be empty.")
        for i, t in enumerate(inputs):
            if t.node is None:
                raise RuntimeError(f"One of the differentiated Tensors does not require grad (inputs[{i}])")
        wanted = {t.node for t in inputs}
    found = walk(roots, values, retain=retain, create=create_graph, wanted=wanted, adds=True)
    for root, value in zip(roots, values):  # noqa: B905
        root.set_note("seed", value)  # that a backward pass has run from here, and with what: drawings ask
    for node, g in found.items():
        t = node.handle() if node.__class__ is Leaf else next(t for t in inputs if t.node is node)
        if t is None:
            continue
        if t._grad is None:
            t._grad = g if create_graph else wrap(g)
        else:
            accumulate(t, g, create_graph)
        if node.extra is not None:
            for hook in tuple(node.note("post", {}).values()):
                hook(t)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """∂(Σ outputᵢ · gradᵢ)/∂input for each of the inputs, as a tuple; no `.grad` is touched.

    Only the rules between outputs and inputs are read. With `create_graph` the results can be differentiated
    again. An input the outputs do not depend on is an error, unless `allow_unused` (None) or
    `materialize_grads` (zeros).

    >>> import tinygrad_pt as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (dy,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> (ddy,) = torch.autograd.grad(dy, x)
    >>> dy.item(), ddy.item()
    (27.0, 18.0)
    """
    outputs = (outputs,) if isinstance(outputs, Handle) else tuple(outputs)
    inputs = (inputs,) if isinstance(inputs, Handle) else tuple(inputs)
    seeds = grad_outputs if isinstance(grad_outputs, (tuple, list)) else (grad_outputs,) * len(outputs)
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    roots, values = start(outputs, seeds, create_graph)
    for t in inputs:
        if t.node is None:
            raise refuse(
                RuntimeError,
                "One of the differentiated Tensors does not require grad",
                mend="call requires_grad_() on it before it is used",
            )
    retain = create_graph if retain_graph is None else retain_graph
    nodes = order(roots, {t.node for t in inputs})
    reachable = {*roots, *(p for node in nodes for p in node.parents if isinstance(p, Node))}
    for i, t in enumerate(inputs):
        if t.node not in reachable and not allow_unused and not materialize_grads:
            raise refuse(
                RuntimeError,
                f"The differentiated Tensor at index {i} appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior.",
            )
    found = walk(roots, values, retain=retain, create=create_graph, wanted={t.node for t in inputs})
    results = []
    for t in inputs:
        g = found.get(t.node)
        if g is None:
            results.append(wrap(np.zeros_like(t.array)) if materialize_grads else None)
        else:
            results.append(g if isinstance(g, Handle) else wrap(g))
    return tuple(results)
