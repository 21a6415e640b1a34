"""Whatever the sources may tell a user has its Portuguese, and the table has nothing else."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.__main__ import main
from tinygrad_pt.errors import refuse
from tinygrad_pt.language import settings
from tinygrad_pt.lines import Line
from tinygrad_pt.linting.finding import Finding
from tinygrad_pt.portuguese import table, translated

PACKAGE = Path(__file__).parent.parent / "tinygrad_pt"
# Which positional arguments are such texts, by the name of the function that is called.
POSITIONS = {"Why": (3,), "not_a": (5,), "_unfit": (3,), "report": (1, 2), "said": (0,)}
# Tables of mends, and which part of a row is one: None for the row itself.
TABLES = {
    ("debugging/why.py", "TRACE"): None,
    ("debugging/nans.py", "FORWARD"): 2,
    ("debugging/nans.py", "STEEP"): None,
    ("debugging/why.py", "REASONS"): 2,
    ("viz/convert.py", "REMEDY"): None,
    ("compat/instead.py", "REASONS"): None,
    ("compat/instead.py", "INSTEAD"): None,
}
FUNCTIONS = ("mend_forward", "mend_backward", "instead")  # they return mends
# What hands a mend on that is read elsewhere.
HANDED_ON = {
    "mend", "sentence", "text", "instead", "STEEP.get", "leaves.fetch", "next", "reason", "_wrong_target", "str",
    "convert.FONTS", "convert.REMEDY[format]", "rule.title", "' '.join", "self.sentence", "name",
}  # fmt: skip


class Place(NamedTuple):
    """A module's tree, and the function around an expression, if any."""

    module: str
    function: ast.AST | None


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


def values_of(node: ast.Assign, name: str) -> Iterator[ast.expr]:
    """What an assignment binds to a name."""
    for target in node.targets:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):  # a star among the targets ends them
            pairs = list(zip(target.elts, node.value.elts, strict=False))
        yield from (v for t, v in pairs if isinstance(t, ast.Name) and t.id == name)


def assigned(body: ast.AST, name: str) -> Iterator[ast.expr]:
    """The expressions that a name is bound to, not looking into functions inside a module."""
    inside = ast.walk(body) if not isinstance(body, ast.Module) else iter(body.body)
    for node in inside:
        if isinstance(node, ast.Assign):
            yield from values_of(node, name)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            if node.value is not None:
                yield node.value


def constant(module: str, name: str) -> tuple[str, ast.expr] | None:
    """A constant of a module, or one that it imports from another module of the package."""
    for value in assigned(tree(module), name):
        return module, value
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinygrad_pt."):
            if any((alias.asname or alias.name) == name for alias in node.names):
                other = (node.module or "").removeprefix("tinygrad_pt.").replace(".", "/") + ".py"
                return constant(other, name) if (PACKAGE / other).exists() else None
    return None


def templates(node: ast.expr, place: Place) -> set[str]:
    """The texts an expression may have, with `{}` for what is filled in."""
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    if isinstance(node, ast.JoinedStr):
        parts = [templates(part, place) for part in node.values]
        return {"".join(chosen) for chosen in itertools.product(*parts)}
    if isinstance(node, ast.FormattedValue):
        return filled(node.value, place) or {"{}"}
    if isinstance(node, ast.IfExp):
        return templates(node.body, place) | templates(node.orelse, place)
    if isinstance(node, ast.BoolOp):
        return set().union(*(templates(part, place) for part in node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = templates(node.left, place), templates(node.right, place)
        return {a + b for a in left for b in right}
    if isinstance(node, ast.Name):
        inner = local(node.id, place)
        if inner:
            return set().union(*(templates(value, place) for value in inner))
        found = constant(place.module, node.id)
        if found:
            return templates(found[1], Place(found[0], None))
    said = ast.unparse(node)
    head = said.partition("(")[0]
    assert head in HANDED_ON or said.endswith(".mend"), f"{place.module}:{node.lineno}: what is {said}?"
    return set()


def local(name: str, place: Place) -> list[ast.expr]:
    """What the function binds to a name; of `x = … if … else x` the first part."""
    found = list(assigned(place.function, name)) if place.function else []
    return [v.body if isinstance(v, ast.IfExp) and ast.unparse(v.orelse) == name else v for v in found]


def filled(node: ast.expr, place: Place) -> set[str]:
    """The texts that a place in an f-string may be filled with, if the sources say them; none for what they do not."""
    if isinstance(node, ast.Name):
        inner = local(node.id, place)
        if inner:
            return set().union(*(filled(value, place) for value in inner))
        found = constant(place.module, node.id)
        return filled(found[1], Place(found[0], None)) if found else set()
    if isinstance(node, ast.IfExp):
        return (filled(node.body, place) or {"{}"}) | (filled(node.orelse, place) or {"{}"})
    return templates(node, place) if isinstance(node, (ast.Constant, ast.JoinedStr)) else set()


def sites(module: str) -> Iterator[tuple[ast.expr, Place]]:
    """The expressions of a module that are mends."""

    def walk(node: ast.AST, function: ast.AST | None) -> Iterator[tuple[ast.expr, Place]]:
        place = Place(module, function)
        if isinstance(node, ast.Call):
            yield from ((k.value, place) for k in node.keywords if k.arg == "mend")
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield from ((node.args[i], place) for i in POSITIONS.get(name, ()) if i < len(node.args))
        if isinstance(node, ast.Assign):
            yield from ((value, place) for value in values_of(node, "mend"))
        if isinstance(node, ast.ClassDef) and any("'TG" in ast.unparse(v) for v in assigned(node, "code")):  # of lint
            why = ast.Constant(" ".join((ast.get_docstring(node) or "").split()))
            yield from ((text, place) for text in (*assigned(node, "title"), ast.copy_location(why, node)))
        if isinstance(node, ast.Return) and node.value is not None:
            if function is not None and getattr(function, "name", "") in FUNCTIONS:
                yield node.value, place
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            function = node
        for child in ast.iter_child_nodes(node):
            yield from walk(child, function)

    yield from walk(tree(module), None)
    for (owner, name), part in TABLES.items():
        if owner == module:
            yield from ((row, Place(module, None)) for row in rows(next(assigned(tree(module), name)), part, module))


def rows(table: ast.expr, part: int | None, module: str) -> Iterator[ast.expr]:
    if isinstance(table, ast.Constant):
        entries = [table]
    elif isinstance(table, ast.List):
        entries = table.elts
    else:
        assert isinstance(table, ast.Dict)
        entries = []
        for key, value in zip(table.keys, table.values, strict=True):
            if key is None:  # **dict.fromkeys(names, mend)
                assert isinstance(value, ast.Call)
                entries.append(value.args[1])
            else:
                entries.append(value)
    for entry in entries:
        yield entry if part is None else entry.elts[part]  # type: ignore[attr-defined]


def spoken() -> dict[str, str]:
    """Every mend of the sources, and where it stands."""
    found: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        for node, place in sites(module):
            for text in templates(node, place) - {"", "{}"}:
                found.setdefault(text, f"{module}:{node.lineno}")
    return found


@pytest.fixture
def portuguese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_lang", "pt")


def test_every_text_has_its_portuguese_and_every_entry_is_a_text_of_the_sources() -> None:
    told = spoken()
    assert not {text: place for text, place in told.items() if text not in table()}, "add them to portuguese.txt"
    assert not set(table()) - set(told), "nothing says these: delete them from portuguese.txt"


def test_no_text_stands_twice() -> None:
    blocks = (PACKAGE / "portuguese.txt").read_text(encoding="utf-8").strip().split("\n\n")
    assert len(blocks) == len(table())
    assert not [block for block in blocks if len(block.splitlines()) > 2 or not block.strip()]


def test_what_is_filled_in_is_filled_in_both() -> None:
    assert not [text for text, other in table().items() if text.count("{}") != other.count("{}")]


@pytest.mark.parametrize("text", sorted(text for text in table() if "{}" in text))
def test_a_filled_text_is_found_again(text: str) -> None:
    filled = text.format(*(f"<{i}>" for i in range(text.count("{}"))))
    assert translated(filled) == table()[text].format(*(f"<{i}>" for i in range(text.count("{}"))))


def test_an_error_tells_its_mend_in_portuguese(portuguese: None) -> None:
    with pytest.raises(RuntimeError) as caught:
        nn.Sequential(nn.Linear(2, 3))(torch.zeros(4, 5))
    assert str(caught.value).splitlines() == [
        "mat1 and mat2 shapes cannot be multiplied (4x5 and 2x3)",
        "  operação: linear(float32[4, 5], float32[3, 2])",
        "  módulo: 0 (Linear)",
        "  conserto: esta camada espera 2 atributos e recebeu 5: mude in_features, ou a forma da entrada",
    ]


def test_what_is_added_to_an_error_stands_above_its_mend(portuguese: None) -> None:
    with pytest.raises(ValueError, match="bad") as caught:
        with torch.autograd.detect_anomaly(check_nan=False):
            x = torch.ones(2, requires_grad=True)
            y = x.exp()
            y.data.mul_(2)
            y.register_hook(lambda g: (_ for _ in ()).throw(refuse(ValueError, "bad", "", mend="give a number")))
            y.sum().backward()
    assert str(caught.value).splitlines()[-1] == "  conserto: passe um número"


def test_a_language_that_is_not_known_hides_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_lang", None)
    monkeypatch.setenv("TINYGRAD_PT_LANG", "tlh")
    assert str(refuse(ValueError, "bad", mend="give a number")) == "bad\n  mend: give a number"


def test_a_finding_is_told_in_portuguese(portuguese: None) -> None:
    found = Finding("TG303", "SGD is given gradients, clears them, and never steps", "dim=1", Line("a.py", 3, "f"))
    assert str(found) == "a.py:3: TG303 SGD recebe gradientes, zera-os, e nunca dá um passo  conserto: dim=1"


def test_a_command_speaks_the_language_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    before = settings.lang
    assert main(["lint", "--explain", "TG106", "--lang", "pt"]) == 0
    assert capsys.readouterr().out.startswith("TG106: uma taxa de aprendizado de 0\n\nUm otimizador deu ao menos 3 ")
    assert settings.lang == before


def test_the_help_is_in_portuguese(portuguese: None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--help"])
    assert "mesma semente, mesma saída (0)" in capsys.readouterr().out


def test_a_command_says_that_the_environment_names_an_unknown_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settings, "_lang", None)
    monkeypatch.setenv("TINYGRAD_PT_LANG", "tlh")
    assert main(["doctor"]) == 2
    assert "lang='tlh'" in capsys.readouterr().err
