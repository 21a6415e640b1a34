"""No function takes a word that it then ignores, but for those that change nothing here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import tinygrad_pt
from tinygrad_pt.functions.checks import WITH_OUT

PACKAGE = Path(tinygrad_pt.__file__).parent
FILES = [*PACKAGE.glob("functions/*.py"), *PACKAGE.glob("nn/functional/*.py"), *PACKAGE.glob("nn/utils/*.py")]
NOTHING_CHANGES = {
    "memory_format": "memory is in the order of the axes",
    "non_blocking": "a copy is made at once",
    "pin_memory": "a tensor in pinned memory is one like others",
    "device": "there is one",
    "foreach": "it says how to compute, not what",
    "options": "they say how to compute, not what",
    "sparse": "gradients are dense",
    "masked_grad": "gradients are dense",
    "is_coalesced": "it promises what need not be known",
    "check_invariants": "they are always checked",
    "assume_unique": "it promises what need not be known",
    "sorted": "results are always sorted",
    "stable": "every sort is",
    "implicit": "a private word of PyTorch's",
    "return_indices": "functions that are called so always return them",
}


def unread(path: Path) -> Iterator[tuple[str, str, str]]:
    """The functions of a file that do not read an argument which may be left out: where, the function, the argument."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        body = function.body[1:] if isinstance(function.body[0], ast.Expr) else function.body
        if not body or any(isinstance(d, ast.Name) and d.id == "overload" for d in function.decorator_list):
            continue
        read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        places = function.args.args[len(function.args.args) - len(function.args.defaults) :]
        words = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
        for argument in (*places, *(argument for argument, default in words if default is not None)):
            if argument.arg not in read and argument.arg[0] != "_":
                yield f"{path.name}:{function.lineno}", function.name, argument.arg


def writes(function: str, argument: str) -> bool:
    """Whether `checked` takes the argument `out` away and writes there."""
    return argument == "out" and (function in WITH_OUT or function == "function")


def test_every_word_is_read() -> None:
    ignored = {(name, word): where for path in FILES for where, name, word in unread(path)}
    others = {
        f"{where} {name}({word})"
        for (name, word), where in ignored.items()
        if word not in NOTHING_CHANGES and not writes(name, word)
    }
    assert not others, "\n".join(sorted(others))
    assert not NOTHING_CHANGES.keys() - {word for _, word in ignored}


def test_a_word_that_is_not_read_is_found(tmp_path: Path) -> None:
    file = tmp_path / "f.py"
    file.write_text("def f(a, b=1, *, c=0):\n    '''Doc.'''\n    return a\n", encoding="utf-8")
    assert [word for _, _, word in unread(file)] == ["b", "c"]
