"""The colours and fonts of the drawings, light and dark; a test holds them to their contrasts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tinygrad_pt.errors import refuse
from tinygrad_pt.viz.model import KINDS

SANS = "Helvetica,Arial,Liberation Sans,DejaVu Sans,sans-serif"
MONO = "DejaVu Sans Mono,Menlo,Consolas,Liberation Mono,monospace"

Palette = Mapping[str, str]

LIGHT = {
    "page": "#ffffff", "text": "#1f2328", "muted": "#57606a", "line": "#6e7781", "frame": "#f6f8fa",
    "forward": "#0b57d0", "backward": "#b3261e", "note": "#6f4e00", "input": "#e6f4ea", "param": "#fff4ce",
    "const": "#f6f6f6", "target": "#ececec", "op": "#edf2fa", "module": "#e4e9f4", "loss": "#fdeceb",
}  # fmt: skip
DARK = {
    "page": "#16181c", "text": "#e6e8eb", "muted": "#a8b0ba", "line": "#8b949e", "frame": "#1d2025",
    "forward": "#8ab4f8", "backward": "#ff8a80", "note": "#e8c66b", "input": "#1d2f24", "param": "#383019",
    "const": "#26282c", "target": "#303236", "op": "#232a36", "module": "#2a3242", "loss": "#3a2323",
}  # fmt: skip
WRONG = "#ff6f66"  # behind an edge whose rule is wrong, light and dark
INKS = ("text", "muted", "forward", "backward", "note")  # what is written in a box
READABLE = 4.5  # the contrast that WCAG 2 asks of text

# Purple to orange stays apart for every kind of colour vision, and from the blue and red of the passes.
_PURPLE_ORANGE = "#5e3c99 #8a70b8 #b2a1d2 #d9d2e9 #f7f7f7 #fde0c0 #fdb863 #ee8a2a #c65102"
_PURPLE_ORANGE_DARK = "#b79df0 #8f75c9 #68539a #47396a #2e3036 #5e4023 #8f5a1d #c77a1e #ffa94d"
HEAT_LIGHT = dict(zip(range(-4, 5), _PURPLE_ORANGE.split(), strict=True))
HEAT_DARK = dict(zip(range(-4, 5), _PURPLE_ORANGE_DARK.split(), strict=True))


def level_name(level: int | None) -> str:
    """The class of a heat map's cell: `m4` … `m1`, `z`, `p1` … `p4`, or `nan`."""
    if level is None:
        return "nan"
    return "z" if level == 0 else f"{'p' if level > 0 else 'm'}{abs(level)}"


def palettes(colours: Mapping[str, str] | None = None) -> tuple[Palette, Palette]:
    """Every colour by name, light and dark: `box-…` fills the boxes of a kind, `rim-…` runs around them.

    `colours` gives kinds colours of the user's own: the rim has that very colour, the box as strong a tint of it as
    leaves all text in it a contrast of 4.5 to 1. Raises ValueError for an unknown kind, or a colour that is not
    written `#rrggbb`.

    >>> light, dark = palettes({"param": "#0b57d0"})
    >>> light["rim-param"], light["box-param"]
    ('#0b57d0', '#c9daf5')
    """
    for kind, colour in (colours or {}).items():
        if kind not in KINDS:
            raise refuse(ValueError, f"colours={{{kind!r}: …}}: expected one of {', '.join(KINDS)}")
        if not isinstance(colour, str) or not re.fullmatch("#[0-9a-fA-F]{6}", colour):
            raise refuse(ValueError, f"colours={{{kind!r}: {colour!r}}}: expected a colour such as '#ffd33d'")
    light, dark = (_palette(base, heat, colours or {}) for base, heat in ((LIGHT, HEAT_LIGHT), (DARK, HEAT_DARK)))
    return light, dark


def _palette(base: dict[str, str], heat: dict[int, str], colours: Mapping[str, str]) -> Palette:
    own = {kind: colours.get(kind) for kind in KINDS}
    return {
        **{name: colour for name, colour in base.items() if name not in KINDS},
        **{level_name(level): colour for level, colour in heat.items()}, "nan": base["line"],
        **{f"box-{kind}": _tint(colour, base) if colour else base[kind] for kind, colour in own.items()},
        **{f"rim-{kind}": colour or base["line"] for kind, colour in own.items()},
    }  # fmt: skip


def _tint(colour: str, base: dict[str, str]) -> str:
    """The colour, mixed with the page's until every ink can be read on it."""
    for part in range(100, 0, -1):
        mixed = "#" + "".join(f"{round((part * c + (100 - part) * p) / 100):02x}" for c, p in _both(colour, base))
        if all(contrast(base[ink], mixed) >= READABLE for ink in INKS):
            return mixed
    return base["page"]


def _both(colour: str, base: dict[str, str]) -> list[tuple[int, int]]:
    return list(zip(bytes.fromhex(colour[1:]), bytes.fromhex(base["page"][1:]), strict=True))


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' luminances, from 1 to 21, after WCAG 2.

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [byte / 255 for byte in bytes.fromhex(colour[1:])]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def rules(root: str, used: Iterable[str], palette: Palette) -> str:
    """CSS that gives the used colours of a palette to what is inside an element of class `root`.

    Classes are asked for as attributes: LibreOffice passes over media queries and obeys the rules in them, but knows
    no such selectors.
    """
    return "".join(
        f'.{root} [class~="{what}-{name}"]{{{"fill" if what == "f" else "stroke"}:{palette[name]}}}'
        for what, name in sorted(use.split("-", 1) for use in used)
    )


def dark_style(root: str, used: Iterable[str], dark: Palette) -> str:
    """The rules for readers who ask for dark; a painter that knows no media query keeps the attributes' colours."""
    return f"@media (prefers-color-scheme:dark){{{rules(root, used, dark)}}}"
