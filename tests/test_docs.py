"""The pages of docs/: their code runs and prints what they say, and their links lead somewhere."""

import pytest

from tests.blocks import ROOT, blocks, links, run
from tinygrad_pt.testing.pytest_plugin import StoredGraphs

PAGES = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", [page for page in PAGES if "tutorial" in page])
def test_the_tutorials_do_what_they_say(page, tmp_path):
    run(page, tmp_path)
    assert (tmp_path / "neuron.svg").stat().st_size and (tmp_path / "xor.svg").stat().st_size


def test_the_page_about_testing_does_what_it_says(tmp_path):
    names = run("docs/testing.md", tmp_path)
    assert (tmp_path / "program.svg").stat().st_size
    names["test_loss"](StoredGraphs(tmp_path / "test_it.py", "test_loss", update=True))


def test_the_debugging_page_does_what_it_says(tmp_path):
    run("docs/debugging.md", tmp_path)


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


def test_the_architecture_fits_on_one_screen():
    assert len((ROOT / "docs/architecture.md").read_text(encoding="utf-8").splitlines()) <= 64
