"""Ops as NumPy text: an expression of symbols becomes Python that runs with NumPy alone and computes the same bits.

The text of an op is made of its own forward, so it cannot drift: a short forward stands in the expression itself
(`np.maximum(z, 0)`), a longer one becomes a function beside it, with all that it calls. Where the forward is written
for speed, and a student would write less, `PLAIN` has the plain form; a test holds it to the same bits.
"""

from __future__ import annotations

import ast
import builtins
import copy
import inspect
import keyword
import math
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, errors
from tinygrad_pt.graph import Op
from tinygrad_pt.symbol import Symbol

PACKAGE = __name__.partition(".")[0]
BLOCK = 8192  # more elements are not added up by np.sum alone (`ops.shape.in_blocks`)


# ------------------------------------------------------------------------------------------ plain forms
def sigmoid(z: Any) -> Any:
    """σ(z) = eᶻ / (eᶻ + 1); beyond 40 it is 1, and eᶻ would overflow."""
    e = np.exp(np.minimum(z, 40))
    return e / (e + 1)


def softmax(z: Any, axis: int) -> Any:
    """eᶻ / Σ eᶻ; the largest is subtracted first, so that no eᶻ overflows."""
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(z: Any, axis: int) -> Any:
    """z - ln Σ eᶻ; the largest is subtracted first, so that no eᶻ overflows."""
    z = z - np.max(z, axis=axis, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


def mean_squared_error(a: Any, b: Any) -> Any:
    """Σ (a - b)² / n."""
    d = (a - b).ravel()
    return d.dot(d) / d.size


def one_hot(g: Any, labels: Any, classes: int) -> Any:
    """g at the label of each row, and 0 elsewhere."""
    y = np.zeros((len(labels), classes), g.dtype)
    y[np.arange(len(labels)), labels] = g
    return y


def numpy_of(kind: Any) -> Any:
    """A dtype."""
    return np.dtype(kind)


def refuse(kind: Any, text: str, *rest: Any, **mend: Any) -> Any:
    """An error."""
    return kind(text)


# What the sources of ops call, and what stands for it in a program.
INSTEAD = {(f"{PACKAGE}.dtypes", "numpy_of"), (f"{PACKAGE}.errors", "refuse")}


def _along(axis: Any, keepdims: Any = False) -> str:
    """The keywords of a reduction."""
    return ("" if axis is None else f", axis={axis!r}") + (", keepdims=True" if keepdims else "")


def _small(a: Any) -> bool:
    """Whether np.sum adds up `a` as the engine does."""
    return math.prod(a.shape) <= BLOCK and a.dtype.char in "fd"


def _sum(a: Any, *, axis: Any = None, keepdims: bool = False) -> str:
    return f"np.sum(a{_along(axis, keepdims)})" if _small(a) else ""


def _mean(a: Any, *, axis: Any = None, keepdims: bool = False) -> str:
    if not _small(a) or 0 in a.shape:
        return ""
    n = math.prod(a.shape)
    for i in () if axis is None else range(a.ndim):
        n //= 1 if i in {k % a.ndim for k in (axis if isinstance(axis, tuple) else (axis,))} else a.shape[i]
    return f"np.sum(a{_along(axis, keepdims)}) / {n}"


def _sum_to(a: Any, *, shape: tuple[int, ...]) -> str:
    if a.shape == shape:
        return "a"
    if not _small(a):
        return ""
    lead = a.ndim - len(shape)
    stretched = tuple(i + lead for i, n in enumerate(shape) if n == 1 and a.shape[i + lead] != 1)
    text = f"np.sum(a{_along((*range(lead), *stretched), stretched)})"
    return f"np.reshape({text}, {shape!r})" if stretched else text


def _sum_rows(a: Any) -> str:
    fits = a.dtype.char in "fd" and a.shape[0] <= 4096
    return f"np.ones({a.shape[0]}, np.{a.dtype}).dot(a)" if fits else ""


def _cast(a: Any, *, dtype: Any) -> str:
    return f"np.asarray(a).astype(np.{dtypes.numpy_of(dtype)})".replace("np.bool)", "bool)")


def _cut(a: Any, axis: int, place: str) -> str:
    return f"a[{':, ' * axis}{place}]"


def _nll(a: Any, b: Any, c: Any, *, axis: int, ignore: int, reduction: str) -> str:
    fits = 0 not in a.shape and a.ndim == 2 and axis == 1 and ignore < 0 and reduction != "none" and _small(a)
    return f"0 - np.sum(a[np.arange({a.shape[0]}), b] * c)" if fits else ""


def _pick(a: Any, b: Any, *, axis: int, ignore: int) -> str:
    return f"a[np.arange({a.shape[0]}), b]" if a.ndim == 2 and axis == 1 and ignore < 0 else ""


def _unpick(a: Any, b: Any, *, classes: int, axis: int, ignore: int) -> str:
    return f"one_hot(a, b, {classes})" if b.ndim == 1 and axis == 1 and ignore < 0 else ""


# What a student would write, by op: a text with a, b, c for the arguments; "" leaves it to the op's own forward.
PLAIN: dict[str, Callable[..., str]] = {
    "linear": lambda a, b, c=None: "np.dot(a, b.T)" + ("" if c is None else " + c"),
    "mm": lambda a, b: "np.dot(a, b)",
    "mv": lambda a, b: "np.dot(a, b)",
    "dot": lambda a, b: "np.dot(a, b)",
    "outer": lambda a, b: "a[:, None] * b",
    "t": lambda a: "a.T" if a.ndim <= 2 else "np.swapaxes(a, -1, -2)",
    "expand": lambda a, *, shape: f"np.broadcast_to(a, {shape!r})",
    "sum": _sum,
    "mean": _mean,
    "sum_to": _sum_to,
    "sum_rows": _sum_rows,
    "narrow": lambda a, *, axis, start, length: _cut(a, axis, f"{start}:{start + length}"),
    "select": lambda a, *, axis, index: _cut(a, axis, f"{index}"),
    "cast": _cast,
    "abs": lambda a: "np.abs(a)",
    "relu": lambda a: "np.maximum(a, 0)",
    "sigmoid": lambda a: "sigmoid(a)" if a.dtype.char in "fd" else "",
    "softmax": lambda a, *, axis: f"softmax(a, {axis})" if _small(a) and 0 not in a.shape else "",
    "log_softmax": lambda a, *, axis: f"log_softmax(a, {axis})" if _small(a) and 0 not in a.shape else "",
    "mse_loss": lambda a, b, *, reduction: "mean_squared_error(a, b)" if reduction == "mean" and _small(a) else "",
    "nll_loss": _nll,
    "pick_class": _pick,
    "unpick_class": _unpick,
}


# ------------------------------------------------------------------------------------------ sources of modules
Place = tuple[str, str]  # a module and a name in it


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[module]))


@cache
def _defined(module: str) -> Mapping[str, ast.stmt]:
    """What a module defines or imports at its top, by name."""
    found: dict[str, ast.stmt] = {}
    for node in _tree(module).body:
        names: Iterable[str] = ()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [a.asname or a.name.partition(".")[0] for a in node.names]
        found.update(dict.fromkeys(names, node))
    return found


def _lambda_of(f: types.FunctionType) -> ast.Lambda:
    """The lambda that made a function, found by where its code begins."""
    code = f.__code__
    places = [(p[0], p[2]) for p in code.co_positions() if p[0] is not None and p[2] is not None]
    line, column = max(places)
    inside = []
    for node in ast.walk(_tree(f.__module__)):
        if isinstance(node, ast.Lambda):
            end = (node.end_lineno or 0, node.end_col_offset or 0)
            if (node.lineno, node.col_offset) <= (line, column) < end:
                inside.append(node)
    if not inside:
        raise _unwritable(f.__qualname__)
    return inside[-1]  # the innermost


def _unwritable(what: str) -> Exception:
    return errors.refuse(NotImplementedError, f"{what} cannot be written as NumPy text")


def names_in(node: ast.AST) -> Iterator[str]:
    """The names that a piece of a program binds: arguments, targets, functions."""
    methods = [m for c in ast.walk(node) if isinstance(c, ast.ClassDef) for m in c.body]
    for n in ast.walk(node):
        if isinstance(n, ast.arg):
            yield n.arg
        elif isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store):
            yield n.id
        elif isinstance(n, (ast.FunctionDef, ast.ExceptHandler)) and n is not node and n.name and n not in methods:
            yield n.name


class _Bare(ast.NodeTransformer):
    """A definition without annotations."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        for field in node.body:
            if isinstance(field, ast.AnnAssign):  # of a named tuple, which is made of its annotations
                field.annotation = ast.Name("object", ast.Load())
        node.body = [field if isinstance(field, ast.AnnAssign) else self.visit(field) for field in node.body]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        return None if node.value is None else ast.copy_location(ast.Assign([node.target], node.value), node)


class _Linked(ast.NodeTransformer):
    """A piece of a module whose global names are those of the program."""

    def __init__(self, source: Source, module: str, local: set[str], free: Mapping[str, Any]) -> None:
        self.source, self.module, self.local, self.free = source, module, local, free

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        inner = node.value
        named = isinstance(inner, ast.Attribute) and inner.attr == "op" and isinstance(inner.value, ast.Name)
        if node.attr == "forward" and named:  # sum.op.forward
            return self.visit(inner.value)  # type: ignore[attr-defined]
        if isinstance(inner, ast.Name) and inner.id not in self.local:
            room = vars(sys.modules[self.module]).get(inner.id)
            if isinstance(room, types.ModuleType) and room.__name__.startswith(PACKAGE):
                return ast.parse(self.source.link(room.__name__, node.attr), mode="eval").body
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.local or not isinstance(node.ctx, ast.Load):
            return node
        if node.id in self.free:
            return self.source.value(self.free[node.id])
        if node.id not in vars(sys.modules[self.module]):
            return node  # a builtin
        return ast.parse(self.source.link(self.module, node.id), mode="eval").body


class _Filled(ast.NodeTransformer):
    """An expression with other expressions in place of its names."""

    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self.values[node.id]) if node.id in self.values else node


# ------------------------------------------------------------------------------------------ expressions
class Source:
    """NumPy text of expressions, and the functions that it needs.

    Args:
        taken: names that mean something else in the program.

    >>> from tinygrad_pt import ops
    >>> from tinygrad_pt.symbol import Symbol
    >>> a, b = Symbol("a", (2, 3)), Symbol("b", (3,))
    >>> source = Source()
    >>> source.text(ops.relu(a * b) - ops.sum(a, axis=None, keepdims=False) * 0.5)
    'np.maximum(a * b, 0) - np.sum(a) * 0.5'
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = {"np", *keyword.kwlist, *dir(builtins), *taken}
        self.linked: dict[Any, str] = {}
        self.imports: set[str] = set()
        self.functions: list[str] = []

    def text(self, x: Any, names: Mapping[str, str] | None = None) -> str:
        """An expression; `names` says what its leaves are called."""
        return ast.unparse(self.expression(x, names or {}, {}))

    @staticmethod
    def unparsed(node: ast.expr) -> str:
        return ast.unparse(node)

    @staticmethod
    def named(name: str) -> ast.expr:
        return ast.Name(name, ast.Load())

    @staticmethod
    def bracketed(node: ast.expr) -> str:
        """An expression as the second term of a sum."""
        return ast.unparse(ast.BinOp(ast.Name("_", ast.Load()), ast.Add(), node)).removeprefix("_ + ")

    def expression(self, x: Any, names: Mapping[str, str], done: dict[int, ast.expr]) -> ast.expr:
        """An expression as Python's own tree; `done` has the parts that have names of their own, by id."""
        if id(x) in done:
            return done[id(x)]
        if not isinstance(x, Symbol):
            return self.value(x)
        if x.op is None:
            return ast.Name(names.get(x.name, x.name), ast.Load())
        args = [self.expression(a, names, done) for a in x.args]
        return self.applied(x.op, x.args, args, x.attrs)

    def applied(self, op: Op, given: tuple[Any, ...], args: list[ast.expr], attrs: Mapping[str, Any]) -> ast.expr:
        """An op applied to arguments: `given` tells their shapes and dtypes, `args` how they are written."""
        plain = PLAIN[op.name](*given, **attrs) if op.name in PLAIN and _arrays(given[:1]) else ""
        if plain:
            body = ast.parse(plain, mode="eval").body
            values = dict(zip("abc", args, strict=False))
            for node in ast.walk(body):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    node.func.id = self.link(__name__, node.func.id)
            return self.filled(body, values)
        f = op.forward
        if isinstance(f, np.ufunc) or f.__module__ == "_operator":
            ufunc = f if isinstance(f, np.ufunc) else getattr(np, UFUNCS[f.__name__])
            if ufunc.__name__ in OPERATORS:
                body = ast.parse(OPERATORS[ufunc.__name__], mode="eval").body
                return self.filled(body, dict(zip("ab", args, strict=False)))
            return self.call(f"np.{ufunc.__name__}", args, {})
        if isinstance(f, types.FunctionType):
            short = self.inlined(f, args, attrs)
            if short is not None:
                return short
        return self.call(self.function(op), args, attrs)

    def call(self, name: str, args: list[ast.expr], attrs: Mapping[str, Any]) -> ast.Call:
        function = ast.parse(name, mode="eval").body
        return ast.Call(function, list(args), [ast.keyword(k, self.value(v)) for k, v in attrs.items()])

    def filled(self, body: ast.expr, values: Mapping[str, ast.expr]) -> ast.expr:
        found: ast.expr = _Filled(values).visit(body)
        return found

    def inlined(self, f: types.FunctionType, args: list[ast.expr], attrs: Mapping[str, Any]) -> ast.expr | None:
        """The body of a function that is one short expression of NumPy, with arguments in place; else None."""
        node = self.definition(f)
        body = node.body if isinstance(node, ast.Lambda) else _returned(node)
        names = [a.arg for a in node.args.args]
        if body is None or node.args.vararg or len(args) > len(names) or len(ast.unparse(body)) > 60:
            return None
        values: dict[str, ast.expr] = dict(zip(names, args, strict=False))
        values |= {k: self.value(v) for k, v in attrs.items()}
        used = [n.id for n in ast.walk(body) if isinstance(n, ast.Name)]
        simple = (ast.Name, ast.Constant)
        for name in used:
            again = used.count(name) > 1 and not isinstance(values.get(name), simple)
            if name != "np" and (name not in values or again):
                return None
        return self.filled(copy.deepcopy(body), values)

    # ---------------------------------------------------------------------------------------- functions
    def definition(self, f: types.FunctionType) -> ast.FunctionDef | ast.Lambda:
        if f.__name__ == "<lambda>":
            return _lambda_of(f)
        node = _defined(f.__module__).get(f.__name__)
        if not isinstance(node, ast.FunctionDef):
            raise _unwritable(f.__qualname__)
        return node

    def function(self, op: Op) -> str:
        """The name, in the program, of the function that computes an op."""
        f = op.forward
        if isinstance(f, types.FunctionType) and f.__name__ != "<lambda>":
            return self.link(f.__module__, f.__name__, op.name)
        if isinstance(f, types.FunctionType):
            return self.defined((f.__module__, op.name), op.name, _lambda_of(f), f)
        if isinstance(f, np.ufunc):
            return f"np.{f.__name__}"
        if isinstance(f, types.MethodDescriptorType):
            return f"np.ndarray.{f.__name__}"
        if f.__module__ == "_operator":
            return f"np.{UFUNCS[f.__name__]}"
        raise _unwritable(op.name)

    def link(self, module: str, name: str, wish: str = "") -> str:
        """What stands in the program for a global name of a module; its definition is written first."""
        if (module, name) in INSTEAD:
            module = __name__
        thing = getattr(sys.modules[module], name)
        op = getattr(thing, "op", None)
        if isinstance(op, Op) and not isinstance(thing, Symbol):
            f = op.forward
            if isinstance(f, types.FunctionType) and f.__name__ == name and f.__module__ == module:
                return self.defined((module, name), wish or name, self.definition(f), f)
            return self.function(op)
        node = _defined(module).get(name)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            original = next(a.name for a in node.names if (a.asname or a.name) == name)
            if f"{node.module}.{original}" not in sys.modules:
                return self.link(node.module or "", original, wish)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            alias = next(a for a in node.names if (a.asname or a.name.partition(".")[0]) == name)
            single = copy.copy(node)
            single.names = [alias]
            if name != "np":
                self.imports.add(ast.unparse(single))
            return name
        if node is None:
            raise _unwritable(f"{module}.{name}")
        return self.defined((module, name), wish or name, node, None)

    def defined(self, key: Place, wish: str, node: ast.AST, f: types.FunctionType | None) -> str:
        """Write a definition, and what it needs, once; its name in the program."""
        if key in self.linked:
            return self.linked[key]
        name = self.linked[key] = self.free(wish)
        module = key[0]
        new: Any = _Bare().visit(copy.deepcopy(node))
        if isinstance(new, ast.Lambda):
            new = ast.FunctionDef(name, new.args, [ast.Return(new.body)], [], lineno=0)
        elif isinstance(new, (ast.FunctionDef, ast.ClassDef)):
            new.name = name
            new.decorator_list = [d for d in new.decorator_list if not self.declares(module, d)]
        free = {} if f is None or f.__closure__ is None else inspect.getclosurevars(f).nonlocals
        local = set(names_in(new)) - set(free)
        if isinstance(new, ast.Assign):
            local = set()
            for target in [n for t in new.targets for n in ast.walk(t) if isinstance(n, ast.Name)]:
                self.linked[module, target.id] = target.id = self.linked.get((module, target.id)) or self.free(
                    target.id
                )
        linked = _Linked(self, module, local, free).visit(new)
        self.functions.append(ast.unparse(ast.fix_missing_locations(linked)))
        return name

    @staticmethod
    def declares(module: str, decorator: ast.expr) -> bool:
        """Whether a decorator declares an op."""
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        thing = vars(sys.modules[module]).get(called.id) if isinstance(called, ast.Name) else None
        return getattr(thing, "__module__", "").startswith(PACKAGE)

    def free(self, wish: str) -> str:
        name = wish
        while name in self.taken:
            name = f"{name}_"
        self.taken.add(name)
        return name

    # ---------------------------------------------------------------------------------------- values
    def value(self, v: Any) -> ast.expr:
        """A number, an array, an index or a setting as Python says it."""
        return ast.parse(self.literal(v), mode="eval").body

    def literal(self, v: Any) -> str:
        if isinstance(v, dtypes.dtype):
            v = v.numpy
        if isinstance(v, np.dtype):
            return f"np.dtype('{v}')"
        if isinstance(v, (np.ndarray, np.generic)):
            return array_text(np.asarray(v))
        if isinstance(v, float):
            return repr(v) if math.isfinite(v) else {"inf": "np.inf", "-inf": "-np.inf"}.get(repr(v), "np.nan")
        if v is None or v is Ellipsis or isinstance(v, (bool, int, str)):
            return "..." if v is Ellipsis else repr(v)
        if isinstance(v, slice):
            return f"slice({', '.join(self.literal(i) for i in (v.start, v.stop, v.step))})"
        if isinstance(v, tuple) and type(v) is not tuple:
            name = self.link(type(v).__module__, type(v).__name__)
            return f"{name}({', '.join(map(self.literal, v))})"
        if isinstance(v, (tuple, list)):
            inner = ", ".join(map(self.literal, v))
            return f"[{inner}]" if isinstance(v, list) else f"({inner}{',' if len(v) == 1 else ''})"
        if isinstance(v, dict):
            return f"{{{', '.join(f'{self.literal(k)}: {self.literal(x)}' for k, x in v.items())}}}"
        if isinstance(v, Op):
            self.imports.add("from types import SimpleNamespace")
            return f"SimpleNamespace(forward={self.function(v)})"
        if isinstance(v, types.FunctionType):
            return self.link(v.__module__, v.__name__)
        raise _unwritable(f"a {type(v).__name__}")


def _returned(node: ast.FunctionDef) -> ast.expr | None:
    """What a function returns that does nothing else."""
    code = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return code[0].value if len(code) == 1 and isinstance(code[0], ast.Return) else None


UFUNCS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide"}
OPERATORS = {
    "add": "a + b", "subtract": "a - b", "multiply": "a * b", "divide": "a / b", "negative": "-a", "equal": "a == b",
    "not_equal": "a != b", "less": "a < b", "less_equal": "a <= b", "greater": "a > b", "greater_equal": "a >= b",
}  # fmt: skip


def _arrays(args: Iterable[Any]) -> bool:
    """Whether these are arrays, or symbols of arrays, not numbers."""
    return all(isinstance(a, (Symbol, np.ndarray, np.generic)) for a in args)


def array_text(a: np.ndarray[Any, Any]) -> str:
    """An array, element by element, as short as it is exact.

    >>> array_text(np.float32([[0.15, 1], [2, np.inf]]))
    'np.array([[0.15, 1.0], [2.0, np.inf]], np.float32)'
    >>> array_text(np.array(3))
    'np.int64(3)'
    """
    kind = f"np.{a.dtype}" if a.dtype.kind != "b" else "bool"
    if not a.shape:
        return f"{'np.bool_' if a.dtype.kind == 'b' else kind}({_element(a[()])})"
    if a.size == 0:
        return f"np.zeros({a.shape!r}, {kind})"
    rows, laid = laid_out(a)
    return f"np.array({_elements(rows)}, {kind}){laid}"


def laid_out(a: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], str]:
    """An array with its elements row after row, and the text that gives it the layout back: BLAS's bits hang on it.

    >>> laid_out(np.zeros((2, 3)).T)[1]
    '.transpose(1, 0)'
    """
    axes = sorted(range(a.ndim), key=lambda i: -a.strides[i])
    rows = a.transpose(axes)
    if a.flags.c_contiguous or not rows.flags.c_contiguous:
        return a, ""
    return rows, f".transpose({', '.join(str(axes.index(i)) for i in range(a.ndim))})"


def _elements(a: Any) -> str:
    if a.ndim:
        return f"[{', '.join(map(_elements, a))}]"
    return _element(a[()])


def _element(x: Any) -> str:
    """One element; the shortest digits of float32 are read as float64 first, so that is tried."""
    if x.dtype.kind not in "f":
        return repr(x.item())
    if not np.isfinite(x):
        return "np.nan" if np.isnan(x) else "np.inf" if x > 0 else "-np.inf"
    text = np.format_float_positional(x, unique=True, trim="0") if 1e-4 <= abs(x) < 1e16 or x == 0 else str(x)
    return text if x.dtype.type(float(text)) == x else repr(float(x))
