"""`doctor` says what can be drawn on this machine, and what mends the rest."""

from __future__ import annotations

from tinygrad_pt.language import chosen, said
from tinygrad_pt.viz import convert
from tinygrad_pt.viz.engine import REMEDY, engines

WORDS = {
    "en": {
        "files": "Files", "own": "our own painter", "none": "no converter", "fonts": "{} finds no fonts",
        "engines": "Graphviz, for engine=\"dot\" and the like", "absent": "not found",
        "process": "in a child process", "mend": "To mend {}: {}",
    },
    "pt": {
        "files": "Arquivos", "own": "nosso próprio pintor", "none": "nenhum conversor", "fonts": "{} não acha fontes",
        "engines": "Graphviz, para engine=\"dot\" e afins", "absent": "não encontrado",
        "process": "em um processo filho", "mend": "Para consertar {}: {}",
    },
}  # fmt: skip


def formats() -> dict[str, str]:
    """What makes each kind of file here; an empty text where nothing does.

    >>> formats()[".svg"]
    'builtin'
    """
    made = {".dot": "builtin", ".svg": "builtin"}
    for format in convert.FORMATS:
        able = (one.name for one in convert.converters(format) if convert.writes(one))
        made[f".{format}"] = next(able, "")
    return made


def doctor(lang: str | None = None) -> str:
    """What each kind of file is made by on this machine, which Graphviz was found, and what mends what is missing."""
    words = WORDS[chosen(lang)]
    lines, mends = [words["files"]], []
    for suffix, by in formats().items():
        format = suffix[1:]
        if by:
            lines.append(f"  {suffix:<12} {words['own'] if by == 'builtin' else by}")
            continue
        blind = [one.name for one in convert.converters(format)]
        lines.append(f"  {suffix:<12} {words['fonts'].format(', '.join(blind)) if blind else words['none']}")
        mends.append(words["mend"].format(suffix, said(convert.FONTS if blind else convert.REMEDY[format], lang)))
    lines.append(words["engines"])
    for engine in engines():
        place = engine.command[0] if engine.name == "dot" else words["process"]
        lines.append(f"  {engine.name:<12} {engine.version or '?'} ({place})")
    if not engines():
        lines.append(f"  {words['absent']}: {said(REMEDY, lang)}")
    return "\n".join(lines + mends)
