"""The language in which users are spoken to, English or Brazilian Portuguese, is set once for pictures and texts."""

from __future__ import annotations

import os

LANGUAGES = ("en", "pt")


def languages(name: object) -> str:
    """One of `LANGUAGES` by its name or its locale's; ValueError for another.

    >>> languages("pt-BR"), languages("en_GB.UTF-8")
    ('pt', 'en')
    """
    found = str(name).replace("_", "-").partition("-")[0].lower()
    if found not in LANGUAGES:
        raise ValueError(f"lang={name!r}: expected one of {', '.join(LANGUAGES)}")
    return found


class Settings:
    """What is set once for the whole process.

    `lang` is "en" or "pt". Until it is set it is what the environment says: `TINYGRAD_PT_LANG`, else Portuguese where
    the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`) is a Portuguese one, else English. The environment is read once, and
    again when None is set.

    >>> settings = Settings()
    >>> settings.lang = "pt-BR"
    >>> settings.lang
    'pt'
    """

    def __init__(self) -> None:
        self._lang: str | None = None

    @property
    def lang(self) -> str:
        if self._lang is None:
            self._lang = _environment()
        return self._lang

    @lang.setter
    def lang(self, name: str | None) -> None:
        self._lang = None if name is None else languages(name)

    def __repr__(self) -> str:
        return f"Settings(lang={self.lang!r})"


def _environment() -> str:
    """What the environment says. ValueError if `TINYGRAD_PT_LANG` names an unknown language."""
    told = os.environ.get("TINYGRAD_PT_LANG", "")
    if told:
        return languages(told)
    locale = next((os.environ[v] for v in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(v)), "")
    return "pt" if locale.lower().startswith("pt") else "en"


settings = Settings()


def chosen(lang: str | None = None) -> str:
    """The language of one call: the one given, else the one that is set. ValueError for an unknown one."""
    return settings.lang if lang is None else languages(lang)


def said(text: str, lang: str | None = None) -> str:
    """An English text as users are told it, in the language of this call. ValueError for an unknown language.

    >>> said("give a number", "pt")
    'passe um número'
    """
    if chosen(lang) == "en":
        return text
    from tinygrad_pt.portuguese import translated  # loaded for those who read it

    return translated(text)
