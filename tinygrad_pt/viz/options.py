"""`Look` holds every option of a drawing, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real

from tinygrad_pt.errors import refuse
from tinygrad_pt.language import chosen
from tinygrad_pt.viz.engine import expect_engine
from tinygrad_pt.viz.style import palettes
from tinygrad_pt.viz.text import check

FONT = 13.0  # the size at which layouts are computed, of the names; all other sizes follow
LARGEST = 32.0  # of names that are only made larger to fill a page


@dataclass(frozen=True)
class Look:
    """How a snapshot is drawn; `viz.draw` says what each option means. Raises ValueError for what they do not know.

    >>> Look(width=1280, ratio=16 / 9).height
    720.0
    """

    rankdir: str = "auto"
    edge_labels: str = "auto"
    lang: str | None = None
    theme: str = "auto"
    width: float | None = None
    ratio: float | None = None
    wrap: bool | int | None = None
    fontsize: float | None = None
    colours: Mapping[str, str] = field(default_factory=dict)
    dpi: float = 192.0
    transparent: bool = False
    engine: str = "auto"

    def __post_init__(self) -> None:
        check(rankdir=self.rankdir, edge_labels=self.edge_labels, theme=self.theme)
        object.__setattr__(self, "lang", chosen(self.lang))
        if not isinstance(self.colours, Mapping):
            raise refuse(ValueError, f"colours={self.colours!r}: expected a dict such as {{'param': '#ffd33d'}}")
        palettes(self.colours)
        expect_engine(self.engine)
        for name in ("width", "ratio", "fontsize", "dpi"):
            value = getattr(self, name)
            known = value is None or (isinstance(value, Real) and not isinstance(value, bool))
            if not known or (value is not None and not 0 < value < 1e6) or (value is None and name == "dpi"):
                raise refuse(ValueError, f"{name}={value!r}: expected a positive number")
        if self.wrap is not None and (not isinstance(self.wrap, int) or (self.wrap < 1 and self.wrap is not False)):
            raise refuse(ValueError, f"wrap={self.wrap!r}: expected True, False or a number of rows")
        if not isinstance(self.transparent, bool):
            raise refuse(ValueError, f"transparent={self.transparent!r}: expected True or False")

    @property
    def language(self) -> str:
        """ "en" or "pt"."""
        return chosen(self.lang)

    @property
    def height(self) -> float | None:
        """The greatest height, where width and ratio are given."""
        return self.width / self.ratio if self.width and self.ratio else None

    @property
    def wraps(self) -> bool:
        """Whether the number of rows is to be found."""
        return self.wrap is True or (self.wrap is None and (self.width is not None or self.ratio is not None))

    def fit(self, width: float, height: float) -> float:
        """How well a page of this size, at the natural size of its text, does for what is asked: more is better."""
        if self.width and self.ratio and not self.fontsize:
            return self.scale(width, height)
        if self.width:
            fits = width * (self.fontsize or FONT) / FONT <= self.width + 0.01
            return -height if fits else -1e9 - width
        aimed = self.ratio or 16 / 9
        return -max(width / height / aimed, aimed * height / width)

    def scale(self, width: float, height: float) -> float:
        """By how much a page of this size is magnified."""
        if self.fontsize:
            return self.fontsize / FONT
        if self.width and self.ratio:
            return min(self.width / width, self.width / self.ratio / height, LARGEST / FONT)
        return min(1.0, self.width / width) if self.width else 1.0
