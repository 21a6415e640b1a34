"""The mode of a task or thread: whether ops record vertices, in which module's call, and which listeners are told.

`current()` returns the mode; `no_grad`, `enable_grad`, `inference_mode` and `set_grad_enabled` change it.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from weakref import ref

if TYPE_CHECKING:
    from tinygrad_pt.listening import Listener

CLASS_DECORATED = (
    "Decorating classes is deprecated and will be disabled in future versions. You should only decorate functions or "
    "methods. To preserve the current behavior of class decoration, you can directly decorate the `__init__` method "
    "and nothing else."
)
P = ParamSpec("P")
R = TypeVar("R")

__all__ = [
    "enable_grad", "inference_mode", "is_grad_enabled", "is_inference_mode_enabled", "no_grad", "set_grad_enabled",
]  # fmt: skip


class Mode:
    """How ops behave in a task or thread. A mode itself never changes: a switch puts another one in its place.

    Attributes:
        grad: an op on tensors that require grad records a vertex; never with `inference`.
        inference: results can never take part in a gradient.
        scope: the innermost call of a module that has not returned yet, or None.
        listeners: objects that are told what happens, in this order; see `listening`.
    """

    __slots__ = ("grad", "inference", "listeners", "scope")

    def __init__(
        self, grad: bool = True, inference: bool = False, scope: Scope | None = None,
        listeners: tuple[Listener, ...] = (),
    ) -> None:  # fmt: skip
        self.grad, self.inference, self.scope, self.listeners = grad and not inference, inference, scope, listeners

    def but(self, **changes: Any) -> Mode:
        """A mode like this one, with some attributes changed."""
        fields = {name: getattr(self, name) for name in Mode.__slots__}
        return Mode(**(fields | changes))


class Scope:
    """One call of a module, inside the call `parent`. Pictures draw it as a frame, errors give its path."""

    __slots__ = ("depth", "kind", "module", "name", "parent")

    def __init__(self, parent: Scope | None, name: str, kind: str, module: ref[Any] | None = None) -> None:
        self.parent, self.name, self.kind = parent, name, kind
        self.depth: int = 1 if parent is None else parent.depth + 1
        self.module = module  # a weak reference, because vertices hold scopes and must not keep modules alive

    def path(self) -> tuple[tuple[str, str], ...]:
        """The (name, class) of each module, from the outermost inwards."""
        steps: list[tuple[str, str]] = []
        scope: Scope | None = self
        while scope is not None:
            steps.append((scope.name, scope.kind))
            scope = scope.parent
        return tuple(reversed(steps))

    def __str__(self) -> str:
        steps = self.path()
        inner = ".".join(name for name, _ in steps[1:])
        return f"{inner or steps[0][0]} ({steps[-1][1]})" if len(steps) > 1 else steps[0][1]


mode: ContextVar[Mode] = ContextVar("tinygrad_pt.mode", default=Mode())  # noqa: B039 - a Mode is never changed
current, enter = mode.get, mode.set


# ------------------------------------------------------------------------------------------ switching
class Switch:
    """A context manager and decorator that changes some attributes of the mode, in this task or thread only.

    One switch can be entered several times, one inside the other.
    """

    def __init__(self, **changes: Any) -> None:
        self.changes = changes
        self.entered: list[tuple[Mode, Mode]] = []  # the modes outside and inside, for each time that it was entered
        self.latest: tuple[Mode, Mode] | None = None  # the last of them: modules know a mode that comes again

    def __enter__(self) -> None:
        outer = current()
        latest = self.latest
        if latest is None or latest[0] is not outer:
            latest = self.latest = outer, outer.but(**self.changes)
        self.entered.append(latest)
        enter(latest[1])

    def __exit__(self, *error: Any) -> None:
        outer, inner = self.entered.pop()
        state = current()
        if state is not inner:  # what else has changed inside, as the listeners, stays changed
            outer = state.but(**{name: getattr(outer, name) for name in self.changes})
        enter(outer)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        return decorated(lambda: Switch(**self.changes), function)


def decorated(context: Callable[[], AbstractContextManager[Any]], function: Callable[P, R]) -> Callable[P, R]:
    """The function, whose body runs inside a fresh context.

    The body of a generator or coroutine runs in pieces: each piece is inside a context, and what the caller does
    between two of them is not.
    """
    plain: Any = function
    if isinstance(plain, (staticmethod, classmethod)):
        return type(plain)(decorated(context, plain.__func__))  # type: ignore[return-value]
    if isinstance(plain, type):
        warnings.warn(CLASS_DECORATED, FutureWarning, stacklevel=3)
        return functools.wraps(plain, updated=())(decorated(context, lambda *args, **kwargs: plain(*args, **kwargs)))
    switched: Any
    if inspect.isgeneratorfunction(plain):

        def switched(*args: Any, **kwargs: Any) -> Any:
            return (yield from pieces(context, plain(*args, **kwargs)))

    elif inspect.iscoroutinefunction(plain):

        async def switched(*args: Any, **kwargs: Any) -> Any:
            return await Pieces(context, plain(*args, **kwargs))

    elif inspect.isasyncgenfunction(plain):

        async def switched(*args: Any, **kwargs: Any) -> Any:
            body = plain(*args, **kwargs)
            step = body.asend(None)
            while True:
                try:
                    found = await Pieces(context, step)
                except StopAsyncIteration:
                    return
                try:
                    step = body.asend((yield found))
                except GeneratorExit:
                    await Pieces(context, body.aclose())
                    raise
                except BaseException as error:
                    step = body.athrow(error)

    else:

        def switched(*args: Any, **kwargs: Any) -> Any:
            with context():
                return plain(*args, **kwargs)

    return functools.wraps(plain)(switched)


def pieces(context: Callable[[], AbstractContextManager[Any]], body: Any) -> Generator[Any, Any, Any]:
    """The generator `body`, each piece of which runs inside a fresh context; a coroutine is a generator too."""
    step, given = body.send, None
    while True:
        try:
            with context():
                found = step(given)
        except StopIteration as end:
            return end.value
        try:
            step, given = body.send, (yield found)
        except GeneratorExit:
            with context():
                body.close()
            raise
        except BaseException as error:
            step, given = body.throw, error


class Pieces:
    """An awaitable each piece of which runs inside a fresh context."""

    def __init__(self, context: Callable[[], AbstractContextManager[Any]], body: Any) -> None:
        self.context, self.body = context, body

    def __await__(self) -> Generator[Any, Any, Any]:
        return pieces(self.context, self.body)


class no_grad(Switch):
    """Do not record vertices inside: results do not require grad.

    >>> import tinygrad_pt as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __new__(cls, function: Any = None) -> Any:
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(grad=False)


class enable_grad(Switch):
    """Record vertices again, inside `no_grad`."""

    def __new__(cls, function: Any = None) -> Any:
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(grad=True)


class inference_mode(Switch):
    """Like `no_grad`; in addition, the results can never take part in a gradient, not even outside."""

    def __new__(cls, mode: Any = True) -> Any:
        return super().__new__(cls) if isinstance(mode, bool) else cls()(mode)

    def __init__(self, mode: Any = True) -> None:
        super().__init__(grad=not mode, inference=bool(mode))


class set_grad_enabled(Switch):
    """Record vertices or not, from now on; as a context manager or decorator, only in the block or function."""

    def __init__(self, mode: bool) -> None:
        super().__init__(grad=bool(mode))
        super().__enter__()
        self.outer = self.entered[-1][0]

    def __enter__(self) -> None:
        if current() is not self.entered[0][1]:
            self.outer = current().but(grad=self.outer.grad)
        self.entered.append((self.outer, current().but(**self.changes)))
        enter(self.entered[-1][1])

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        enter(current().but(grad=self.outer.grad))  # a decoration changes nothing outside the function
        return super().__call__(function)


def is_grad_enabled() -> bool:
    """Whether ops on tensors that require grad record vertices here."""
    return current().grad


def is_inference_mode_enabled() -> bool:
    """Whether this is inside `inference_mode()`."""
    return current().inference
