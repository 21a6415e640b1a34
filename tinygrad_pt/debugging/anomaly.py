"""Anomaly mode, in which an exception says which op made a nan, in which module, on which line of the forward pass."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

from tinygrad_pt.debugging.nans import Spot, Trail, array_of, bad, born, first_of, given, indented, place, spot
from tinygrad_pt.debugging.trace import line_of, remember
from tinygrad_pt.errors import annotate, describe, label, message, refuse, tells
from tinygrad_pt.graph import Leaf, Node, Op, Tensor, made_by
from tinygrad_pt.lines import Line, caller
from tinygrad_pt.listening import Listener, Walk, attend, forget
from tinygrad_pt.modes import current, decorated, enter


class Flags(NamedTuple):
    """The values that anomaly mode looks at."""

    nan: bool  # gradients that are nan
    forward: bool  # values that are nan: raise at the op


class Anomaly(Listener):
    """The setting of one `detect_anomaly` or `set_detect_anomaly`. Of several, the latest is in force.

    Without flags it switches off the mode that an earlier one has switched on.
    """

    def __init__(self, flags: Flags | None, lasting: bool = False) -> None:
        self.flags, self.lasting, self.over = flags, lasting, False
        self.changes: OrderedDict[int, Line | None] = OrderedDict()  # per time of a change in place, its line

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor) -> None:
        if self.flags is not None and in_force() is self:
            remember(op, args, result)
            if self.flags.nan:
                note_nan(op, args, attrs, result, self.flags.forward)

    def wrote(self, t: Tensor) -> None:
        if self.flags is not None:
            self.changes[t.version[1]] = caller()
            while len(self.changes) > MOST_CHANGES:
                self.changes.popitem(last=False)

    def walking(self, walk: Walk) -> None:
        if self.flags is not None and in_force() is self:
            walk.notes[self] = Watched(walk, self.flags)

    def edge(self, walk: Walk, node: Node, slot: int, g: Any, r: Any) -> None:
        if self in walk.notes:
            walk.notes[self].edge(node, slot, g, r)

    def finding(self, walk: Walk) -> None:
        if self in walk.notes:
            walk.notes[self].finding()

    def failed(self, walk: Walk, error: Exception, node: Node | None) -> None:
        if self in walk.notes:
            explain(error, node)


MOST_CHANGES = 10_000  # the latest ones


def in_force() -> Anomaly | None:
    """The latest that was asked for in this task or thread."""
    return next((one for one in reversed(current().listeners) if isinstance(one, Anomaly)), None)


def _flags() -> Flags | None:
    """What is looked at here; None: nothing."""
    latest = in_force()
    return None if latest is None else latest.flags


def line_of_change(time: int) -> Line | None:
    """The line of the change in place at this time of the engine's clock, if anomaly mode was on."""
    known = (one.changes for one in current().listeners if isinstance(one, Anomaly))
    return next((changes[time] for changes in known if time in changes), None)


class detect_anomaly:
    """Context manager, or decorator: errors of backward passes inside name the op, the module and the forward line.

    Inside, every op remembers its line, and

    * a backward pass that computes a nan raises RuntimeError (with PyTorch's words first) at the op whose
      derivative made it, with the element, what the op was given there, where an inf before it came from, and
      what to write instead; a pass from a loss that is nan itself raises too, and names the op whose value was
      the first nan;
    * any other exception in a backward pass tells the forward line of the op it came from, and the error about a
      saved value changed in place tells the line of the change as well, the one about a graph already freed that of
      the pass that freed it.

    A nan among the values is no error as long as no backward pass meets it (masks and `where` may well drop it);
    with `check_forward=True` the op that makes one raises at once. No `.grad` changes when a pass raises. The mode
    is that of this task or thread. Unlike PyTorch's it does not warn on entering.

    Args:
        check_nan: look for nan; without, only the lines of exceptions.
        check_forward: raise where a value becomes nan, too.

    >>> import tinygrad_pt as torch
    >>> x = torch.tensor([1.0, 0.0], requires_grad=True)
    >>> with torch.autograd.detect_anomaly():
    ...     try:
    ...         (torch.sqrt(x) * 0).sum().backward()
    ...     except RuntimeError as error:
    ...         print(str(error).splitlines()[0])
    Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True, *, check_forward: bool = False) -> None:
        if callable(check_nan):
            raise refuse(TypeError, "detect_anomaly() is called to make a decorator: write @detect_anomaly()")
        self.flags = Flags(check_nan, check_forward)
        self.entered: list[Anomaly] = []

    def __enter__(self) -> None:
        self.entered.append(Anomaly(self.flags))
        attend(self.entered[-1])

    def __exit__(self, *error: object) -> None:
        listeners, mine = current().listeners, self.entered.pop()
        if mine in listeners:
            for one in listeners[listeners.index(mine) + 1 :]:
                if isinstance(one, Anomaly):
                    if not one.lasting:
                        break
                    forget(one)  # what was set inside ends with the block
        forget(mine)

    def __call__(self, function: Any) -> Any:
        return decorated(lambda: detect_anomaly(self.flags.nan, check_forward=self.flags.forward), function)


class set_detect_anomaly:
    """Switch `detect_anomaly` on or off, at once; as a context manager it restores what was before.

    >>> import tinygrad_pt as torch
    >>> with torch.autograd.set_detect_anomaly(True, check_nan=False):
    ...     torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
    (True, False)
    >>> torch.is_anomaly_enabled()
    False
    """

    def __init__(self, mode: bool, check_nan: bool = True, *, check_forward: bool = False) -> None:
        latest = in_force()
        self.old = latest if latest is not None and latest.lasting else None
        self.setting = Anomaly(Flags(check_nan, check_forward) if mode else None, lasting=True)
        _replace(self.old, self.setting)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        self.setting.over = True
        back = None if self.old is None or self.old.over else self.old
        if self.setting in current().listeners:
            _replace(self.setting, back)
        elif back is not None and in_force() is None:
            attend(back)


def _replace(old: Anomaly | None, new: Anomaly | None) -> None:
    """Put one lasting setting in the place of another, unless that is no longer there."""
    state = current()
    if old is not None and old not in state.listeners:
        return
    at = len(state.listeners) if old is None else state.listeners.index(old)
    before, after = state.listeners[:at], state.listeners[at + (old is not None) :]
    if new is not None and (new.flags is not None or any(isinstance(one, Anomaly) for one in (*before, *after))):
        before = (*before, new)  # one that switches off what nobody has switched on is not needed
    enter(state.but(listeners=(*before, *after)))


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on here."""
    return _flags() is not None


def is_anomaly_check_nan_enabled() -> bool:
    """Whether it is on, and looks for nan."""
    flags = _flags()
    return flags is not None and flags.nan


# ------------------------------------------------------------------------------------------ forward
def note_nan(op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor, refusing: bool) -> None:
    """Note with the vertex of an op whether its value is nan, and whether it is the first; or refuse that."""
    if result.array.dtype.kind != "f" or not bad(result.array, "nan").any():
        return
    xs = [a.array if isinstance(a, Tensor) else a for a in args]
    mask = born(op, xs, result.array, "nan")
    found = None
    if mask.any():
        found = spot(op, xs, result.array, mask, "nan", scope=current().scope, line=caller(), attrs=attrs)
        if refusing:
            text = f"Function '{op.name}' returned nan values in its forward pass."
            raise refuse(RuntimeError, text, facts=found.facts(), mend=found.mend)
    if result.node is not None and result.node.parents:
        made_by(result.node).set_note("nan", found or True)


# ------------------------------------------------------------------------------------------ backward
class Watched:
    """A backward pass under anomaly mode."""

    def __init__(self, walk: Walk, flags: Flags) -> None:
        self.walk, self.flags, self.trail = walk, flags, Trail()
        self.meeting: dict[Any, list[Node]] = {}  # per vertex, whose gradients have been added
        self.first: Spot | None = None  # where the nan that the roots hold was made
        if flags.nan and self._nan_at_once():
            notes = (n.note("nan") for n in reversed(walk.nodes))  # they are sorted by birth, the oldest last
            self.first = next((note for note in notes if isinstance(note, Spot)), None)

    def edge(self, node: Node, slot: int, g: Any, r: Any) -> None:
        if not self.flags.nan:
            return
        p = node.parents[slot]
        self.meeting.setdefault(p, []).append(node)
        _, y, *xs = (None, *(node.args or (None,)))
        g, r = array_of(g), array_of(r)
        found = self.trail.hear(node, slot, g, y, xs, r)
        if found is not None:
            raise self._error(node, slot, g, found, describe(r))

    def _error(self, node: Node, slot: int, g: Any, found: Spot, shape: str) -> Exception:
        facts = {name: fact for name, fact in found.facts().items() if name != "op"}
        facts["element"] = f"{facts['element']}, in the gradient of argument {slot}, {shape}"
        if found.values.get("g") == 0:
            users = (f"{n.op.name} {line_of(n) or ''}".rstrip() for n in self.meeting.get(node, ()))
            facts["g is 0 because of"] = "; ".join(users)
        facts["earlier"] = self._earlier(node, g, found)
        mends = (one.mend for one in (self.first, found, found.before) if one is not None)
        mend = next(filter(None, mends), "")
        text = f"Function '{node.name()}' returned nan values in its {slot}th output."
        return refuse(RuntimeError, text, node.op.name, *node.parents, facts=facts, mend=mend)

    def _earlier(self, node: Node, g: Any, found: Spot) -> str:
        """What was not right before this rule was read."""
        if self.first is not None:
            return "in the forward pass " + indented(self.first, "    ")
        if self._nan_at_once() and (name := given(self.walk.nodes)):
            return f"in the forward pass {name}"
        if not isinstance(g, list) and bad(g, "nan").any():
            return self._arrived(node)
        return "" if found.before is None else indented(found.before, "    ")

    def _nan_at_once(self) -> bool:
        """Whether the value that the pass starts from is nan."""
        return any(made_by(root).note("nan") for root in self.walk.roots)

    def _arrived(self, node: Node) -> str:
        """Where the nan in the gradient of a vertex came from, if no rule answered with it."""
        if node.note("hooks"):
            return "the gradient that arrived was nan: a hook of this tensor may have made it"
        if node in self.walk.roots:
            return "the gradient given to backward() holds nan"
        lines = [f"\n    {n.op.name} {line_of(n) or ''}" for n in self.meeting.get(node, ())]
        return "the gradients of its uses were inf and -inf, and their sum is nan:" + "".join(lines)

    def finding(self) -> None:
        call = caller()
        for node in self.walk.nodes:
            if node.args is None:
                node.set_note("freed", call)
        if not self.flags.nan:
            return
        for node, g in self.walk.found.items():
            x = array_of(g)
            if (mask := bad(x, "nan")).any():
                index, count = first_of(mask)
                where = place(index, x.shape, count)
                facts = {"gradient of": describe(node), "earlier": self._arrived(node), "element": where}
                text = f"Function '{node.name()}' returned nan values in its 0th output."
                raise refuse(RuntimeError, text, facts=facts)
        start = "the value this backward pass starts from is nan"
        if self.first is not None:
            raise refuse(RuntimeError, f"{start}, since the forward pass\n  {indented(self.first)}")
        if self._nan_at_once():
            source = given(self.walk.nodes) or "nan, by a tensor that is gone"
            raise refuse(RuntimeError, start, facts={"given": source})


def explain(error: Exception, node: Node | None) -> None:
    """Add to an exception of a backward pass the op it came from, its module and its line."""
    text = message(error)
    if node is None or tells(text, "line") or text.startswith("the value this backward pass"):
        return
    notes = []
    if not tells(text, "op") and not isinstance(node, Leaf):
        notes.append(f"  {label('op')}: {node.op.name}({', '.join(map(describe, node.parents))})")
    if node.scope and not tells(text, "module"):
        notes.append(f"  {label('module')}: {node.scope}")
    line = line_of(node)
    notes.append(f"  {label('line')}: {line or 'not known: the op was applied outside anomaly mode'}")
    if freed := node.note("freed"):
        notes.append(f"  {label('freed by')}: {freed}")
    if clock := _changed(node):
        notes.append(f"  {label('changed in place')}: {line_of_change(clock) or 'not known: outside anomaly mode'}")
    annotate(error, "\n".join(notes))


def _changed(node: Node) -> int:
    """The clock of the change of a value that a vertex had saved, or 0."""
    guards = node.guards
    for i in range(0, len(guards), 2):
        if guards[i][0] != guards[i + 1]:
            return int(guards[i][1])
    ctx = node.attrs.get("ctx")
    for entry in getattr(ctx, "_saved", None) or ():
        if entry is not None and entry[2][0] != entry[3]:
            return int(entry[2][1])
    return 0
