"""The pages of docs/: their code runs and prints what they say, and their links lead somewhere."""

import doctest
import importlib.util
import inspect
import re
import types

import pytest

import tinygrad_pt as torch
from tests.blocks import ROOT, blocks, links, run
from tinygrad_pt.testing.pytest_plugin import StoredGraphs

PAGES = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md"))
REFERENCE = [page for page in PAGES if "reference/" in page]


def load(path: str) -> types.ModuleType:
    """A Python file that lies in no package."""
    spec = importlib.util.spec_from_file_location("loaded", ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


api = load("docs/api.py")


def test_the_front_page_does_what_it_says(tmp_path):
    run("docs/index.md", tmp_path)
    assert (tmp_path / "neuron.svg").read_bytes() == (ROOT / "docs/images/neuron.svg").read_bytes()
    assert blocks("docs/index.md", "sh")[0] == blocks("README.md", "sh")[0]


TUTORIALS = {"docs/tutorial-1.md": "neuron.svg", "docs/tutorial-1-pt.md": "neuronio.svg"}


@pytest.mark.parametrize("page", [page for page in PAGES if "tutorial" in page])
def test_the_tutorials_do_what_they_say(page, tmp_path):
    run(page, tmp_path)
    assert (tmp_path / TUTORIALS[page]).stat().st_size and (tmp_path / "xor.svg").stat().st_size


def test_a_tutorial_has_the_same_steps_in_portuguese():
    english, portuguese = (
        re.findall(r"^## (\d+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE) for page in TUTORIALS
    )
    assert english == portuguese


@pytest.mark.long
def test_the_page_about_testing_does_what_it_says(tmp_path):
    names = run("docs/testing.md", tmp_path)
    assert (tmp_path / "program.svg").stat().st_size
    names["test_loss"](StoredGraphs(tmp_path / "test_it.py", "test_loss", update=True))


@pytest.mark.long
def test_the_debugging_page_does_what_it_says(tmp_path):
    run("docs/debugging.md", tmp_path)


def test_the_page_about_worksheets_does_what_it_says(tmp_path):
    run("docs/worksheet.md", tmp_path)


@pytest.mark.long
def test_the_page_about_pictures_of_training_does_what_it_says(tmp_path):
    pytest.importorskip("matplotlib")
    run("docs/plots.md", tmp_path)
    for picture in set(re.findall(r"\(images/([\w.]+)\)", (ROOT / "docs/plots.md").read_text(encoding="utf-8"))):
        assert (tmp_path / picture).stat().st_size


def test_the_page_about_drawing_does_what_it_says(tmp_path):
    run("docs/drawing.md", tmp_path)


def test_the_page_about_the_player_does_what_it_says(tmp_path):
    run("docs/player.md", tmp_path)
    assert "One neuron" in (tmp_path / "lesson.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    for target in links(page):
        assert target.exists(), target


def test_a_page_that_promises_what_does_not_happen_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.blocks.ROOT", tmp_path)
    for body in (">>> 1 + 1\n3\n\n", "assert 1 + 1 == 3\n"):
        (tmp_path / "page.md").write_text(f"```python\n{body}```\n")
        assert len(blocks("page.md", "python")) == 1
        with pytest.raises(AssertionError):
            run("page.md", tmp_path)


def test_the_idea_and_the_rooms_fit_on_one_screen():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert len(page.partition("## The core in one sitting")[0].splitlines()) <= 64


# ------------------------------------------------------------------------------------------ the API reference
SPACES = [
    "tinygrad_pt", *(f"tinygrad_pt.{name}" for name in (
        "autograd", "autograd.functional", "compat.cuda", "datasets", "linting", "models", "nn", "nn.functional",
        "nn.init", "nn.utils", "optim", "optim.lr_scheduler", "optim.swa_utils", "testing",
        "serialization", "testing.compat", "testing.strategies", "utils.data", "viz",
        "nn.utils.parametrizations", "nn.utils.parametrize", "nn.utils.prune", "nn.utils.stateless",
    ))
]  # fmt: skip
METHODS = [name for name in dir(torch.Tensor) if name[0] != "_" and hasattr(torch.Tensor, name)]
HELPERS = {"check_probability", "legacy_reduction"}  # in the namespace nn.functional, and not PyTorch's


def found(space, name):
    """A public object by its path."""
    value = importlib.import_module(space)
    for part in name.split("."):
        value = getattr(value, part)
    return value


@pytest.fixture(scope="module")
def entries():
    """All objects that have an entry on a page, by their identity, with the number of their entries."""
    counts = {}
    for page in REFERENCE:
        text = api.expand((ROOT / page).read_text(encoding="utf-8"))
        assert "{names}" not in text and "{methods}" not in text
        for space, body in re.findall(r"(?ms)^\.\. currentmodule:: (\S+)$(.*?)^````$", text):
            for name in re.findall(
                r"^\.\. auto(?:function|class|exception|method|property):: (\S+)$", body, re.MULTILINE
            ):
                counts[space, name] = counts.get((space, name), 0) + 1
    return counts


def test_every_public_name_has_an_entry(entries):
    documented = {id(found(*entry)) for entry in entries}
    for space in SPACES:
        names = [name for name in api.public(space) if name not in HELPERS]
        assert names
        missing = [name for name in names if id(found(space, name)) not in documented]
        assert not missing, f"{missing} of {space}: no page of docs/reference asks for the files that define them"


def test_no_name_has_two_entries(entries):
    assert [entry for entry, count in entries.items() if count > 1] == []


def test_what_is_no_function_is_named_on_a_page():
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in REFERENCE)
    public = set(api.public("tinygrad_pt"))
    others = [name for name in torch.__all__ if name not in public and not inspect.ismodule(getattr(torch, name))]
    assert [name for name in others if f"`torch.{name}`" not in text] == []
    assert {"pi", "float32", "FloatTensor", "default_generator"} <= set(others)


def test_every_entry_has_a_docstring_of_our_own(entries):
    documented = [(".".join(entry), found(*entry)) for entry in entries]
    documented += [(f"Tensor.{name}", getattr(torch.Tensor, name)) for name in METHODS]
    documented = [(name, value) for name, value in documented if callable(value) or isinstance(value, property)]
    assert len(documented) > 700
    assert [name for name, value in documented if not inspect.getdoc(value)] == []
    assert [name for name, value in documented if "casting='same_kind'" in inspect.getdoc(value)] == []  # NumPy's


def test_every_method_of_tensor_is_in_a_group():
    callables = {name for name in METHODS if callable(getattr(torch.Tensor, name))}
    groups = ("functions", "in place", "others", "debugging")
    assert {name for group in groups for name in api.methods(group)} == callables
    assert {"shape", "grad", "T"} <= set(api.methods("properties"))
    assert {"sum", "exp"} <= set(api.methods("functions")) and "add_" in api.methods("in place")


def test_docstrings_become_what_sphinx_reads():
    assert doctest.testmod(api).failed == 0
    given = "One:\n\n    z = a*b\n\n* first `x_`\n\n>>> a*b\n|c|\n\nRaises:\n    E: |a|. KeyError, IOError: b."
    wanted = "One:\n\n::\n\n    z = a*b\n\n* first ``x_``\n\n>>> a*b\n|c|\n\nRaises:\n    E: \\|a\\|."
    assert "\n".join(api.reworded(given.split("\n"))) == wanted + "\n    KeyError, IOError: b."
    assert api.markup("`a`s, x`b`, relu_ and in_place, ``c*``, :math:`d*`") == (
        "``a``\\ s, x\\ ``b``, relu\\_ and in_place, ``c*``, :math:`d*`"
    )
    assert api.without_any("(a: Any, *, b: ~typing.Any = None, c: tuple[Any, ...] = ()) -> Any") == (
        "(a, *, b=None, c: tuple[Any, ...] = ())"
    )


def test_another_name_of_a_function_says_so():
    assert api.own_name("tinygrad_pt.absolute", torch.absolute) == "abs"
    assert api.own_name("tinygrad_pt.abs", torch.abs) == ""
