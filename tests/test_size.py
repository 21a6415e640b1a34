"""The size command: it counts right, and the pages quote what it prints today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import size

SOURCE = '''"""A docstring
of two lines."""

import os  # code, and a comment

# a comment


class Box:
    """A docstring."""

    text = """no
docstring"""

    def area(self, width: Any, *, height: "Any" = 1, **others: Any) -> float:
        """A docstring."""
        half = lambda a: a / 2  # a lambda has no annotations

        def inner(a, b: float, *rest: Any):
            return (
                a

                * b
            )
        return inner(width, height)
'''


def test_lines_of_code_are_no_blanks_comments_and_docstrings() -> None:
    assert size.code_lines(SOURCE) == 1 + 1 + 2 + 2 + 1 + 4 + 1  # import, class, text, area, inner, its sum, return
    assert size.code_lines("") == size.code_lines('"""Nothing else."""\n') == 0


def test_what_counts_as_typed() -> None:
    counted = size.typing_of("box", [SOURCE])
    assert (counted.untyped_returns, counted.returns) == (1, 2)  # inner; area and inner
    assert (counted.untyped_parameters, counted.parameters) == (3, 4)  # width, height, a; and b
    assert size.typing_of("none", []) == ("none", 0, 0, 0, 0)


def test_every_file_is_counted_once() -> None:
    rooms = {room.name: room for room in size.rooms()}
    files = list(size.PACKAGE.rglob("*.py"))
    assert sum(room.files for room in rooms.values()) == len(files)
    assert sum(room.lines for room in rooms.values()) == sum(len(f.read_bytes().splitlines()) for f in files)
    assert all(room.code <= room.lines for room in rooms.values())
    assert {"nn", "optim", "tensor", "__main__"} < set(rooms)
    assert {room.name for room in size.core()} >= {"graph.py", "ops/linalg.py", "autograd/engine.py", "tensor.py"}


@pytest.mark.long
def test_the_command_prints_the_totals() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.size"], capture_output=True, text=True, check=True, cwd=size.ROOT
    )
    assert done.stdout == size.report() + "\n"
    for figure in (size.total(size.core())[1], size.total(size.rooms())[2], *size.total(size.types())):
        assert f"{figure:,}" in done.stdout


@pytest.mark.parametrize("name, mark", [*zip(size.PAGES, ["summary", "rooms"], strict=True)])
def test_the_pages_quote_the_figures_of_today(name: str, mark: str) -> None:
    page = (size.ROOT / name).read_text(encoding="utf-8")
    assert f"<!-- size: {mark} -->" in page
    assert page == size.quoted(page), "run python -m tests.benchmarks.size --write"


def test_a_stale_figure_and_a_forgotten_room_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert size.quoted("a\n<!-- size: summary -->\nold\nb\n") == f"a\n<!-- size: summary -->\n{size.summary()}\nb\n"
    monkeypatch.setattr(size, "rooms", lambda: [size.Room("nn", 2, 1_200, 3), size.Room("graph", 1, 4, 9)])
    table = "| room | what | code |\n|---|---|---|\n| `graph` | x | 0 |\n| `nn/functional/` | y | |\n"
    assert size.filled(table) == table.replace("x | 0", "x | 4").replace("y | ", "y | 1,200 ")
    for row, said in (("`nn`", "lacks .'graph'."), ("`graph`, `nn`, `nn`", "names nn"), ("`attic`", "names attic")):
        with pytest.raises(ValueError, match=said):
            size.filled(f"| room | code |\n|---|---|\n| {row} | 0 |\n")


@pytest.mark.long
def test_write_brings_the_pages_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(size, "ROOT", tmp_path)
    monkeypatch.setattr(size, "PAGES", ("page.md",))
    for arguments, said in ([], "old"), (["--write"], size.summary()):
        (tmp_path / "page.md").write_text("<!-- size: summary -->\nold\n", encoding="utf-8")
        monkeypatch.setattr(sys, "argv", ["size", *arguments])
        size.main()
        assert (tmp_path / "page.md").read_text(encoding="utf-8") == f"<!-- size: summary -->\n{said}\n"
        assert capsys.readouterr().out == size.report() + "\n"
