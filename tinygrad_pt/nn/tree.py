"""A module and all below it, visited without recursion, because Python refuses calls a thousand deep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinygrad_pt.nn.module import Module

ENTER, LEAVE, ASK = range(3)  # before its children, after them, and: it has a method of its own, which must be called
ANCHORS = "<anchors>"  # the key of what `anchors` gives in the state of a module
Family = Callable[["Module"], Iterable[tuple[str, "Module"]]]


def inherits(module: Module, method: Callable[..., Any]) -> bool:
    """Whether a method of a module is the one given: neither its class nor the object itself has another one."""
    name = method.__name__
    return getattr(module.__class__, name) is method and name not in module.__dict__


Step = tuple[int, str, "Module"]


def visit(root: Module, method: Callable[..., Any] | None, family: Family, path: str = "") -> Iterator[Step]:
    """(ENTER, path, module), …, (LEAVE, path, module) for the root and all below it, in the order of a recursion.

    Paths end with a dot. A module that does not inherit the method that the recursion is about gives instead
    (ASK, path, module), and what is below it gives nothing.
    """
    yield ENTER, path, root
    stack = [(path, root, iter(family(root)))]
    while stack:
        path, module, rest = stack[-1]
        for name, child in rest:
            inner = f"{path}{name}."
            if method is not None and not inherits(child, method):
                yield ASK, inner, child
                continue
            yield ENTER, inner, child
            if not child._modules:
                yield LEAVE, inner, child
                continue
            stack.append((inner, child, iter(family(child))))
            break
        else:
            stack.pop()
            yield LEAVE, path, module


def occupied(module: Module) -> Iterator[tuple[str, Module]]:
    """(name, child) for every child, also if it stands there under several names."""
    return ((name, child) for name, child in module._modules.items() if child is not None)


def anchors(module: Module) -> list[Module]:
    """Modules far below this one, the lowest first; none if nothing is 25 levels below.

    If `pickle` and `copy` meet these before the module's own children, what is below an anchor is done when the
    recursion comes to it, and the recursion is never deep.
    """
    level, found = [module], list[Any]()
    for depth in range(1, 101):
        level = list(dict.fromkeys(c for m in level for c in vars(m).get("_modules", {}).values() if c is not None))
        if not level:
            break
        if depth % 25 == 0:
            found[:0] = level
    return found


# ------------------------------------------------------------------------------------------ the representation
class Block:
    """The lines of one module among those of its neighbours: where they begin, and under which names it stands."""

    __slots__ = ("groups", "inner", "names", "path", "start")

    def __init__(self, start: int, path: str, name: str, groups: bool) -> None:
        self.start, self.path, self.names, self.groups = start, path, [name], groups
        self.inner: list[Block] = []


def shown(root: Module, method: Callable[..., str]) -> str:
    """The representation of a module: its settings, and its children one below the other, indented by two columns.

    Where a module `_groups` its children, as a list does, equal neighbours are shown once, with their number.
    """
    lines: list[tuple[int, str]] = []  # how far it is indented, and the text
    blocks = [Block(0, "", "", False)]  # of the modules that are open
    for stage, path, module in visit(root, method, lambda m: m._modules.items()):
        depth = len(blocks) - 1
        if stage != LEAVE:
            name = path[len(blocks[-1].path) : -1]
            block = Block(len(lines), path, name, getattr(module, "_groups", False))
            if stage == ENTER:
                lines += _opened(module, depth)
                blocks.append(block)
                continue
            lines += [(depth, line) for line in repr(module).split("\n")]
        else:
            block = blocks.pop()
            if lines[block.start][1][-1] == "(":  # else it is one line
                lines.append((depth - 1, ")"))
            _name_children(block, lines)
        before = blocks[-1].inner
        if blocks[-1].groups and before and lines[before[-1].start : block.start] == lines[block.start :]:
            before[-1].names += block.names
            del lines[block.start :]
        else:
            before.append(block)
    return "\n".join("  " * depth + text for depth, text in lines)


def _opened(module: Module, depth: int) -> list[tuple[int, str]]:
    """The lines of a module above those of its children, or all of them if they are one."""
    name, extra = module._get_name(), module.extra_repr()
    settings = extra.split("\n") if extra else []
    if not module._modules and len(settings) <= 1:
        return [(depth, f"{name}({extra})")]
    return [(depth, f"{name}("), *((depth + 1, line) for line in settings)]


def _name_children(block: Block, lines: list[tuple[int, str]]) -> None:
    """Write the names of the children of a module before them."""
    for child in block.inner:
        depth, text = lines[child.start]
        many = len(child.names) > 1
        names = f"{child.names[0]}-{child.names[-1]}" if many else child.names[0]
        lines[child.start] = depth, f"({names}): {f'{len(child.names)} x ' if many else ''}{text}"
