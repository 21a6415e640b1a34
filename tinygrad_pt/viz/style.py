"""The colours and fonts of the drawings, light and dark; a test holds them to their contrasts."""

from __future__ import annotations

SANS = 'Helvetica,Arial,"Liberation Sans","DejaVu Sans",sans-serif'
MONO = '"DejaVu Sans Mono",Menlo,Consolas,"Liberation Mono",Courier,monospace'

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


def stylesheet(root: str) -> str:
    """The CSS of a drawing whose root element has class `root`: it styles nothing outside, loads nothing.

    Every colour stands twice, plain and as a variable, for painters that know no variables.
    """

    def variables(colours: dict[str, str], heat: dict[int, str]) -> str:
        pairs = list(colours.items()) + [(level_name(level), colour) for level, colour in heat.items()]
        return "".join(f"--{name}:{colour};" for name, colour in pairs)

    def paint(selector: str, name: str, what: str = "fill") -> str:
        colour = LIGHT.get(name) or {level_name(k): v for k, v in HEAT_LIGHT.items()}[name]
        return f".{root} {selector}{{{what}:{colour};{what}:var(--{name})}}"

    rules = [
        f".{root}{{{variables(LIGHT, HEAT_LIGHT)}color-scheme:light dark}}",
        f"@media (prefers-color-scheme:dark){{.{root}{{{variables(DARK, HEAT_DARK)}}}}}",
        f".{root} text{{font-family:{SANS};font-size:13px;white-space:pre}}",
        f".{root} .mono{{font-family:{MONO};font-size:12px}}",
        f".{root} .small{{font-size:11px}}",
        f".{root} .name{{font-weight:bold}}",
        f".{root} .heading{{font-size:15px;font-weight:bold}}",
        f".{root} .end{{text-anchor:end}}.{root} .mid{{text-anchor:middle}}",
        f".{root} path{{fill:none;stroke-width:1.4}}",
        f".{root} .bwd{{stroke-dasharray:5 3}}.{root} .head,.{root} .cell{{stroke:none}}",
        f".{root} .sign{{stroke-width:1;stroke-linecap:round}}",
        f".{root} .nograd .box{{stroke-dasharray:4 3}}.{root} .box{{stroke-width:1.2}}",
        f".{root} .map{{fill:none}}",
        f".{root} .border{{stroke-dasharray:6 4}}",
        paint(".page", "page"), paint("text", "text"), paint(".muted", "muted"), paint(".note", "note"),
        paint(".value", "forward"), paint(".grad", "backward"),
        paint(".fwd", "forward", "stroke"), paint(".bwd", "backward", "stroke"),
        paint(".head.fh", "forward"), paint(".head.bh", "backward"),
        paint(".box", "line", "stroke"), paint(".rule", "line", "stroke"), paint(".sign", "text", "stroke"),
        paint(".border", "line", "stroke"), paint(".border", "frame"),
        paint(".chip", "page"), paint(".chip", "backward", "stroke"),
        *(paint(f".{kind} .box", kind) for kind in ("input", "param", "const", "target", "op", "module", "loss")),
        *(paint(f".{level_name(level)}", level_name(level)) for level in HEAT_LIGHT),
        paint(".nan", "line"),
    ]  # fmt: skip
    return "\n".join(rules)
