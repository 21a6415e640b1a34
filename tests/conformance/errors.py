"""Wrong inputs that PyTorch's own database lists: does the package refuse them, with PyTorch's type and text?

For about a third of its functions, some modules and all optimizers the database has inputs that must raise, with the
type of the exception and a regular expression that its text must contain. They are tried on what the package provides.
"""

from __future__ import annotations

import fnmatch
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.testing._internal.common_modules import ModuleErrorEnum

import tinygrad_pt as tg
from tests.conformance.bridge import LeftOut, Translation, module_db, op_db, optim_db, title, variants
from tests.conformance.measure import Measure, said

Case = tuple[Callable[[], Any], type[BaseException], str]  # the call, its exception, and the expression in the text


def calling(function: Any, args: Any, kwargs: dict[str, Any]) -> Callable[[], Any]:
    """The call of a function of ours with arguments of PyTorch's; not called yet."""
    if "out" in kwargs:
        raise LeftOut("`out=`")
    if str(kwargs.get("device", "cpu")) != "cpu":
        raise LeftOut("devices")
    if any(isinstance(a, torch.Tensor) and a.ndim > 64 for a in args):
        raise LeftOut("more axes than the 64 of NumPy")
    given, named = Translation()((list(args), kwargs))
    return lambda: function(*given, **named)


def of_functions() -> Iterator[tuple[str, Callable[[], Case]]]:
    """The wrong inputs of functions: a name, and what makes the case."""
    for op in op_db:
        if op.error_inputs_func is None or "function" not in (found := variants(op)):
            continue
        for i, error in enumerate(op.error_inputs("cpu")):

            def case(op: Any = op, function: Any = found["function"][1], error: Any = error) -> Case:
                sample = error.sample_input
                if raised(lambda: op(sample.input, *sample.args, **sample.kwargs), error.error_type) is None:
                    raise LeftOut("PyTorch accepts it")
                call = calling(function, (sample.input, *sample.args), sample.kwargs)
                return call, error.error_type, error.error_regex

            yield f"{title(op)} {i}", case


def of_modules() -> Iterator[tuple[str, Callable[[], Case]]]:
    for info in module_db:
        kind = getattr(tg.nn, info.module_cls.__name__, None)
        if info.module_error_inputs_func is None or kind is None:
            continue
        settings = {"device": "cpu", "dtype": torch.float32, "requires_grad": False, "training": True}
        for i, error in enumerate(info.module_error_inputs_func(info, **settings)):

            def case(kind: Any = kind, error: Any = error) -> Case:
                given = error.module_error_input
                make = calling(kind, given.constructor_input.args, given.constructor_input.kwargs)
                if error.error_on is ModuleErrorEnum.CONSTRUCTION_ERROR:
                    return make, error.error_type, error.error_regex
                call = calling(make(), given.forward_input.args, given.forward_input.kwargs)
                return call, error.error_type, error.error_regex

            yield f"{info.name} {i}", case


def of_optimizers() -> Iterator[tuple[str, Callable[[], Case]]]:
    for info in optim_db:
        kind = getattr(tg.optim, info.optim_cls.__name__, None)
        if kind is None:
            continue
        for error in info.optim_error_inputs_func("cpu", torch.float32):

            def case(kind: Any = kind, error: Any = error) -> Case:
                given = error.optimizer_error_input
                return calling(kind, (given.params,), given.kwargs), error.error_type, error.error_regex

            yield f"optim.{info.optim_cls.__name__} {error.optimizer_error_input.desc}", case


def raised(call: Callable[[], Any], kind: type[BaseException]) -> BaseException | None:
    """What the call raises; a warning, if that is what is looked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("error" if issubclass(kind, Warning) else "ignore")
        try:
            call()
        except (Exception, Warning) as error:
            return error
    return None


def measures(names: str = "", part: int = 0, parts: int = 1) -> list[Measure]:
    """How many wrong inputs raise; raise with PyTorch's type; raise with a text in which its expression is found."""
    kinds = ("wrong inputs that raise", "... with the type", "... with the text")
    raises, typed, told = found = [Measure(name) for name in kinds]
    every = (case for cases in (of_functions, of_modules, of_optimizers) for case in cases())
    for i, (name, make) in enumerate(every):
        if i % parts != part or (names and not fnmatch.fnmatch(name, f"{names}*")):
            continue
        try:
            call, kind, text = make()
        except LeftOut as why:
            raises.left_out[str(why)] += 1
            continue
        error = raised(call, kind)
        wrong = f"{name}: {kind.__name__}: {text} | {said(error) if error else 'accepted'}"
        raises.add("" if error else wrong)
        typed.add("" if isinstance(error, kind) else wrong)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of Python, about brackets in PyTorch's patterns
            told.add("" if error and re.search(text, str(error)) else wrong)
    return found
