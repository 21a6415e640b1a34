"""The language in which users are spoken to is set once."""

import pytest

from tinygrad_pt import nn, viz
from tinygrad_pt.language import chosen, settings

VARIABLES = ("TINYGRAD_PT_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


class Environment:
    """The variables that say a language, none of them set at first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(settings, "_lang", None)

    def setenv(self, name: str, value: str) -> None:
        self.monkeypatch.setenv(name, value)
        settings.lang = None


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> Environment:
    return Environment(monkeypatch)


def test_it_is_that_of_the_environment(unset: Environment) -> None:
    assert chosen() == "en" and chosen("pt") == "pt"
    unset.setenv("LANG", "pt_BR.UTF-8")
    assert chosen() == "pt" and chosen("en") == "en"
    unset.setenv("LC_ALL", "C")
    assert chosen() == "en"
    unset.setenv("TINYGRAD_PT_LANG", "pt-BR")
    assert chosen() == "pt"


def test_what_is_set_comes_before_the_environment(unset: Environment) -> None:
    unset.setenv("LANG", "en_US.UTF-8")
    viz.settings.lang = "pt_BR"
    assert viz.settings.lang == chosen() == "pt" and chosen("en") == "en"
    assert "parâmetros" in str(nn.summary(nn.Linear(2, 1))).lower()
    viz.settings.lang = None
    assert chosen() == "en"


def test_an_unknown_language_is_refused(unset: Environment) -> None:
    with pytest.raises(ValueError, match="lang='klingon': expected one of en, pt"):
        viz.settings.lang = "klingon"
    with pytest.raises(ValueError, match="lang='xx'"):
        chosen("xx")
    unset.setenv("TINYGRAD_PT_LANG", "tlh")
    with pytest.raises(ValueError, match="lang='tlh'"):
        chosen()
