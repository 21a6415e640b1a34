"""`torch.jit` and `torch.compile`: programs run as Python runs them, so both give back what they are given."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Dict, Final, List, NamedTuple, Optional, Tuple, Union, overload  # noqa: UP035

from tinygrad_pt.nn import Module as ScriptModule

__all__ = [
    "Any", "Attribute", "Dict", "Final", "List", "NamedTuple", "Optional", "ScriptModule", "Tuple", "Union",
    "_overload", "_unwrap_optional", "allow_in_graph", "annotate", "boolean_dispatch", "compile", "disable", "export",
    "fork", "freeze", "ignore", "is_compiling", "is_dynamo_compiling", "is_scripting", "is_tracing", "isinstance",
    "onednn_fusion_enabled", "optimize_for_inference", "reset", "script", "script_if_tracing", "script_method",
    "trace", "trace_module", "unused", "wait",
]  # fmt: skip
_isinstance = isinstance
_overload = overload


def compile(model: Any = None, **options: Any) -> Any:
    """The function or module itself; without one, a decorator that returns it.

    >>> @torch.compile(mode="max-autotune")
    ... def double(x):
    ...     return 2 * x
    >>> double(3)
    6
    """
    return (lambda function: function) if model is None else model


def script(obj: Any, *args: Any, **options: Any) -> Any:
    """The function, class or module itself: it runs as Python, and is not translated."""
    return obj


unused = export = script_method = script_if_tracing = freeze = optimize_for_inference = allow_in_graph = script


def ignore(drop: Any = False, **options: Any) -> Any:
    """The function itself; with options, a decorator that returns it."""
    return drop if callable(drop) else lambda function: function


def disable(fn: Any = None, *args: Any, **options: Any) -> Any:
    """The function itself; without one, a decorator that returns it."""
    return (lambda function: function) if fn is None else fn


def trace(func: Any, example_inputs: Any = None, *args: Any, **options: Any) -> Any:
    """The function or module itself: its ops are not recorded, so other inputs take their own way through it."""
    return func


trace_module = trace


def is_scripting() -> bool:
    """Always False."""
    return False


is_tracing = is_compiling = is_dynamo_compiling = onednn_fusion_enabled = is_scripting


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value."""
    return the_value


def Attribute(value: Any, type: Any) -> Any:
    """The value."""
    return value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Python's `isinstance`."""
    return _isinstance(obj, target_type)


def _unwrap_optional(x: Any) -> Any:
    return x


def fork(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`func(*args, **kwargs)`, computed at once."""
    return func(*args, **kwargs)


def wait(future: Any) -> Any:
    """What `fork` gave."""
    return future


def reset() -> None:
    """Do nothing: nothing is compiled."""


def boolean_dispatch(
    arg_name: str, arg_index: int, default: bool, if_true: Callable[..., Any], if_false: Callable[..., Any],
    module_name: str = "", func_name: str = "",
) -> Callable[..., Any]:  # fmt: skip
    """A function that calls the first of two where an argument is true, else the second."""

    def chosen(*args: Any, **kwargs: Any) -> Any:
        flag = kwargs.get(arg_name, args[arg_index] if len(args) > arg_index else default)
        return (if_true if flag else if_false)(*args, **kwargs)

    return chosen


class CompilationMode(enum.Enum):
    """How a program is run: as Python."""

    EAGER = 0
