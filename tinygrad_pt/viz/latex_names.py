r"""`written` reads a name such as `"$w_2$"`: its LaTeX, and what stands for it where only text can stand, `w₂`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ell": "ℓ", "partial": "∂", "nabla": "∇", "prime": "′",
    "top": "ᵀ", "ast": "*", "star": "*", "cdot": "·",
}  # fmt: skip
ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "vec": "\u20d7", "dot": "\u0307", "ddot": "\u0308"}
STYLES = ("mathbf", "mathrm", "mathit", "mathsf", "mathcal", "boldsymbol", "text", "operatorname")
LOW = dict(zip("0123456789+−=()aehijklmnoprstuvxβγρφχ,", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ,", strict=True))
HIGH = dict(
    zip("0123456789+−=()abcdefghijklmnoprstuvwxyzT′*ᵀ,", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ′*ᵀ,", strict=True)
)
TOKEN = re.compile(r"\\([A-Za-z]+)|([{}_^'])|([^\W_]|[-+=(),.*/ ])")
LONGEST = 200


class Unreadable(Exception):
    """The LaTeX uses what is not known here."""


def written(name: str) -> tuple[str, str]:
    r"""A name as text, and its LaTeX: `""` if it is none, or uses what is not known to be harmless in a formula.

    Letters, digits, Greek letters, accents, styles and scripts are known. A script for which Unicode has no letters
    stays behind its mark.

    >>> written("$w_2$"), written(r"$\hat{y}^{(1)}$"), written("$w_b$"), written("w_2")
    (('w₂', 'w_2'), ('ŷ⁽¹⁾', '\\hat{y}^{(1)}'), ('w_b', 'w_b'), ('w_2', ''))
    >>> written(r"$\frac{a}{b}$")
    ('frac a b', '')
    """
    if not (len(name) > 2 and name[0] == name[-1] == "$"):
        return name, ""
    source = name[1:-1].strip()
    try:
        if len(source) > LONGEST:
            raise Unreadable
        tokens = list(_tokens(source))
        text = _line(tokens)
        if tokens or not text.strip():
            raise Unreadable
        return unicodedata.normalize("NFC", text), source
    except Unreadable:
        return " ".join(re.sub(r"[${}\\]+", " ", name).split()), ""


def _tokens(source: str) -> Iterator[str]:
    """Its marks, letters and commands, the last first."""
    found, at = [], 0
    while at < len(source):
        m = TOKEN.match(source, at)
        if m is None:
            raise Unreadable
        found.append(m.group())
        at = m.end()
    return reversed(found)


def _line(tokens: list[str]) -> str:
    """What stands up to the end, or up to the brace that closes this group."""
    parts: list[str] = []
    marks = ""  # the scripts that the latest letter has: LaTeX refuses a second one of a kind
    while tokens and tokens[-1] != "}":
        token = tokens.pop()
        if token in "_^'":
            mark = "_" if token == "_" else "^"
            if not parts or mark in marks:
                raise Unreadable
            marks += mark
            parts.append("′" if token == "'" else _script(_one(tokens), token))
        elif token != " ":
            tokens.append(token)
            parts.append(_one(tokens))
            marks = ""
    return "".join(parts)


def _one(tokens: list[str]) -> str:
    """The next letter, command with its argument, or group."""
    while tokens and tokens[-1] == " ":
        tokens.pop()
    token = tokens.pop() if tokens else ""
    if token == "{":
        inner = _line(tokens)
        if not tokens or not inner:
            raise Unreadable
        tokens.pop()
        return inner
    command = token[1:]
    if command in ACCENTS:
        inner = _one(tokens)
        return inner[0] + ACCENTS[command] + inner[1:]
    if command in STYLES:
        return _one(tokens)
    if command:
        if command not in GREEK:
            raise Unreadable
        return GREEK[command]
    if not token or token in "}_^'":
        raise Unreadable
    return "−" if token == "-" else token


def _script(text: str, mark: str) -> str:
    table = LOW if mark == "_" else HIGH
    return "".join(table[c] for c in text) if all(c in table for c in text) else mark + text
