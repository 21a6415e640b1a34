"""`written` computes formulas that somebody typed, such as `net = w*x + b; sigmoid(net)`.

They are read by Python's `ast` and compared with a list of what is allowed. Nothing is ever evaluated as a program.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tinygrad_pt import functions
from tinygrad_pt.dtypes import float64
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Tensor
from tinygrad_pt.nn import functional

LONGEST, DEEPEST, MOST = 2000, 60, 400  # characters, parentheses inside parentheses, operations
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.MatMult: operator.matmul, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip
ON_TENSORS = """
    abs acos asin atan cos cosh erf exp expm1 log log10 log1p log2 logsumexp maximum mean minimum prod reciprocal rsqrt
    sigmoid sign sin sinh sqrt square sum tan tanh
"""
OF_LAYERS = "elu gelu leaky_relu mse_loss relu selu silu softplus softsign"
FUNCTIONS: dict[str, Callable[..., Any]] = {name: getattr(functions, name) for name in ON_TENSORS.split()}
FUNCTIONS |= {name: getattr(functional, name) for name in OF_LAYERS.split()}
FUNCTIONS |= {"ln": functions.log, "sen": functions.sin, "tg": functions.tan, "σ": functions.sigmoid}
OVER_ALL = ("logsumexp",)  # these want to be told the axis; of what is typed they take all


def written(text: str, at: Mapping[str, Any], wrt: Iterable[str] | None = None) -> tuple[Tensor, dict[str, Tensor]]:
    """The value of a formula at the given numbers, with its graph, and all that has a name.

    Args:
        text: a formula, or several with names of their own, separated by `;`. The last is the result.
        at: the numbers, or nested lists of numbers, that the names stand for.
        wrt: the names by which it will be differentiated; default: all.

    Raises:
        ValueError: the text is not such a formula, a name has no number or no use, or a number is none.

    >>> loss, names = written("net = w*x + b; sigmoid(net)", {"w": 0.5, "x": 2.0, "b": 1.0}, ["w"])
    >>> loss.backward()
    >>> round(loss.item(), 4), round(names["w"].grad.item(), 4), sorted(names)
    (0.8808, 0.21, ['b', 'net', 'w', 'x'])
    """
    tree = _parsed(text)
    wanted = set(at) if wrt is None else set(wrt)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for name in [*at, *wanted]:
        if name not in used or (name in wanted and name not in at):
            raise refuse(ValueError, f"{name!r} does not stand in {text!r}", mend="give the names of the formula")
    names = {name: _tensor(name, value, name in wanted) for name, value in at.items()}
    for step in tree.body:
        if step is tree.body[-1] and isinstance(step, ast.Expr):
            found = _value(step.value, names)
            continue
        target = step.targets[0] if isinstance(step, ast.Assign) and len(step.targets) == 1 else None
        if not isinstance(step, ast.Assign) or not isinstance(target, ast.Name) or target.id in names:
            mend = "write name = formula; name = formula; formula, each name once"
            raise refuse(ValueError, f"not a formula with a name of its own: {ast.unparse(step)}", mend=mend)
        names[target.id] = found = _value(step.value, names)
    if found.node is None:
        raise refuse(ValueError, f"{text!r} depends on none of the names it is to be differentiated by")
    return found, names


def _parsed(text: str) -> ast.Module:
    if len(text) > LONGEST:
        raise refuse(ValueError, f"the formula has {len(text)} characters, more than {LONGEST}")
    deep = worst = 0
    for char in text:
        deep += (char in "([") - (char in ")]")
        worst = max(worst, deep)
    if worst > DEEPEST:
        raise refuse(ValueError, f"the formula has more than {DEEPEST} parentheses inside one another")
    try:
        tree = ast.parse(text.replace("^", "**").replace("−", "-").replace("·", "*"))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise refuse(ValueError, f"not a formula: {text!r}", facts={"reason": getattr(error, "msg", None)}) from None
    if not tree.body:
        raise refuse(ValueError, "the formula is empty")
    if sum(isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Call)) for node in ast.walk(tree)) > MOST:
        raise refuse(ValueError, f"the formula has more than {MOST} operations")
    return tree


def _tensor(name: str, value: Any, wanted: bool) -> Tensor:
    try:
        return functions.tensor(value, dtype=float64, requires_grad=wanted)
    except (TypeError, ValueError, RuntimeError):
        raise refuse(ValueError, f"{name}={value!r}: expected a number, or a list of numbers") from None


def _value(node: ast.expr, names: Mapping[str, Tensor]) -> Tensor:
    """The value of a formula, by an explicit stack: formulas may be long."""
    stack: list[tuple[ast.AST, bool]] = [(node, False)]
    found: list[Any] = []
    while stack:
        here, ready = stack.pop()
        parts = _parts(here, names)
        if parts and not ready:
            stack.append((here, True))
            stack += [(part, False) for part in reversed(parts)]
            continue
        if isinstance(here, ast.Constant):
            found.append(float(here.value))  # type: ignore[arg-type]
        elif isinstance(here, ast.Name):
            found.append(names[here.id])
        else:
            arguments = found[len(found) - len(parts) :]
            del found[len(found) - len(parts) :]
            found.append(_applied(here, arguments))
    return found[0] if isinstance(found[0], Tensor) else _tensor(ast.unparse(node), found[0], False)


def _parts(node: ast.AST, names: Mapping[str, Tensor]) -> list[ast.expr]:
    """What a node is computed from. ValueError for a node that is not allowed."""
    match node:
        case ast.Constant(value=float() | int()) if not isinstance(node.value, bool):
            return []
        case ast.Name():
            if node.id not in names:
                raise refuse(ValueError, f"{node.id!r} has no number", mend=f"give it one: --at {node.id}=1")
            return []
        case ast.BinOp() if type(node.op) in OPERATORS:
            return [node.left, node.right]
        case ast.UnaryOp() if type(node.op) in OPERATORS:
            return [node.operand]
        case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS and not node.keywords and node.args:
            if not any(isinstance(argument, ast.Starred) for argument in node.args):
                return node.args
    known = ", ".join(sorted(FUNCTIONS))
    raise refuse(ValueError, f"not allowed in a formula: {ast.unparse(node)}", facts={"functions": known})


def _applied(node: ast.AST, arguments: list[Any]) -> Any:
    try:
        if isinstance(node, ast.Call):
            name = node.func.id  # type: ignore[attr-defined]
            arguments = [a if isinstance(a, Tensor) else functions.tensor(a, dtype=float64) for a in arguments]
            more = {"dim": tuple(range(arguments[0].ndim))} if name in OVER_ALL else {}
            return FUNCTIONS[name](*arguments, **more)
        return OPERATORS[type(node.op)](*arguments)  # type: ignore[attr-defined]
    except (TypeError, ValueError, RuntimeError, OverflowError, ZeroDivisionError) as error:
        raise refuse(ValueError, f"{ast.unparse(node)}: {error}") from None


def evaluate(text: str, names: Mapping[str, float]) -> float:
    """The number that an expression stands for, such as `"0,25"` or `"x*(1 - o)"`. ValueError for anything else.

    >>> evaluate("0,25", {}), evaluate("2*x", {"x": 3.0})
    (0.25, 6.0)
    """
    tree = _parsed(re.sub(r"(?<=\d),(?=\d)", ".", text.strip()))
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        raise refuse(ValueError, f"not an expression: {text!r}")
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return float(
        _value(tree.body[0].value, {name: _tensor(name, names[name], False) for name in used & set(names)}).item()
    )
