"""Stain, light and camera of a drawn smear, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

Triple = tuple[float, float, float]
"""Red, green, blue."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a smear is stained, lit and photographed; it changes colours, never shapes.

    Absorbances are optical densities (log10 of light in over light out) of one full layer, in
    red, green and blue. The values were measured beside real smears of several laboratories.
    """

    name: str
    nucleus: Triple
    """Chromatin: azure B and eosin together, the Romanowsky purple."""
    azure: Triple
    """Basophilic cytoplasm, rich in RNA: blue."""
    eosin: Triple
    """Acidophilic cytoplasm: pink."""
    red_cell: Triple
    """A red cell where it is thickest."""
    eosinophil_granule: Triple
    basophil_granule: Triple
    azurophil_granule: Triple
    light: Triple
    """Pixel value of empty glass in the middle of the picture; above 255 it burns out."""
    uneven: float
    """Share of the light that is missing in the darkest corner, 0 to 0.9."""
    refraction: float
    """Strength of the bright and dark fringes at edges out of focus; 0 is none."""
    blur_um: float
    """Standard deviation of the point spread, in micrometres on the slide."""
    blur_px: float
    """Standard deviation of the camera's own smoothing, in pixels."""
    fringe_um: float
    """How far red and blue are shifted against green: the coloured edges of a simple lens."""
    sharpen: float
    """How much of the detail the camera adds again, as cameras do; 0 is none."""
    noise: float
    """Standard deviation of shot noise on a white pixel, in grey levels."""

    def __post_init__(self) -> None:
        """Refuse light and noise that no camera has."""
        if not all(0 < value <= 300 for value in self.light):
            raise ValueError(f"look.light is {self.light}; use values above 0, at most 300.")
        if not 0 <= self.uneven <= 0.9:
            raise ValueError(f"look.uneven is {self.uneven}; use 0 to 0.9.")
        for name in ("refraction", "blur_um", "blur_px", "fringe_um", "sharpen", "noise"):
            if getattr(self, name) < 0:
                raise ValueError(f"look.{name} is {getattr(self, name)}; use 0 or more.")


_VIOLET = Look(
    name="violet",
    nucleus=(0.215, 0.335, 0.015),
    azure=(0.23, 0.20, 0.01),
    eosin=(0.05, 0.13, 0.03),
    red_cell=(0.17, 0.15, 0.055),
    eosinophil_granule=(0.06, 0.30, 0.22),
    basophil_granule=(0.60, 0.75, 0.15),
    azurophil_granule=(0.15, 0.40, 0.05),
    light=(246, 253, 253),
    uneven=0.10,
    refraction=0.012,
    blur_um=0.12,
    blur_px=0.3,
    fringe_um=0.08,
    sharpen=0.2,
    noise=1.2,
)

_BLUE = Look(
    name="blue",
    nucleus=(0.205, 0.29, 0.01),
    azure=(0.28, 0.20, 0.01),
    eosin=(0.05, 0.13, 0.02),
    red_cell=(0.24, 0.185, 0.045),
    eosinophil_granule=(0.08, 0.28, 0.15),
    basophil_granule=(0.60, 0.70, 0.12),
    azurophil_granule=(0.18, 0.38, 0.04),
    light=(247, 259, 259),
    uneven=0.09,
    refraction=0.02,
    blur_um=0.12,
    blur_px=0.3,
    fringe_um=0.08,
    sharpen=0.2,
    noise=1.1,
)

_ROSE = Look(
    name="rose",
    nucleus=(0.065, 0.175, 0.01),
    azure=(0.12, 0.16, 0.01),
    eosin=(0.04, 0.14, 0.02),
    red_cell=(0.17, 0.14, 0.065),
    eosinophil_granule=(0.05, 0.26, 0.14),
    basophil_granule=(0.40, 0.60, 0.10),
    azurophil_granule=(0.12, 0.35, 0.04),
    light=(262, 262, 257),
    uneven=0.09,
    refraction=0.02,
    blur_um=0.16,
    blur_px=0.3,
    fringe_um=0.06,
    sharpen=0.2,
    noise=1.0,
)

_PALE = Look(
    name="pale",
    nucleus=(0.28, 0.42, 0.02),
    azure=(0.22, 0.20, 0.01),
    eosin=(0.06, 0.12, 0.02),
    red_cell=(0.12, 0.105, 0.065),
    eosinophil_granule=(0.06, 0.28, 0.16),
    basophil_granule=(0.60, 0.75, 0.10),
    azurophil_granule=(0.14, 0.36, 0.04),
    light=(252, 254, 246),
    uneven=0.09,
    refraction=0.01,
    blur_um=0.10,
    blur_px=0.3,
    fringe_um=0.08,
    sharpen=0.2,
    noise=1.2,
)

_CREAM = Look(
    name="cream",
    nucleus=(0.46, 0.74, 0.20),
    azure=(0.30, 0.28, 0.05),
    eosin=(0.09, 0.20, 0.08),
    red_cell=(0.11, 0.165, 0.10),
    eosinophil_granule=(0.11, 0.36, 0.18),
    basophil_granule=(0.60, 0.90, 0.30),
    azurophil_granule=(0.30, 0.55, 0.15),
    light=(253, 229, 205),
    uneven=0.03,
    refraction=0.006,
    blur_um=0.07,
    blur_px=0.3,
    fringe_um=0.06,
    sharpen=0.45,
    noise=1.0,
)

_BENCH = Look(
    name="bench",
    nucleus=(0.38, 0.88, 0.15),
    azure=(0.30, 0.32, 0.03),
    eosin=(0.06, 0.20, 0.05),
    red_cell=(0.10, 0.18, 0.14),
    eosinophil_granule=(0.08, 0.42, 0.30),
    basophil_granule=(0.55, 0.95, 0.25),
    azurophil_granule=(0.22, 0.55, 0.10),
    light=(196, 190, 178),
    uneven=0.10,
    refraction=0.006,
    blur_um=0.12,
    blur_px=0.7,
    fringe_um=0.08,
    sharpen=0.0,
    noise=2.2,
)

_PLUM = Look(
    name="plum",
    nucleus=(0.385, 0.735, 0.39),
    azure=(0.58, 0.90, 0.37),
    eosin=(0.10, 0.25, 0.10),
    red_cell=(0.12, 0.22, 0.16),
    eosinophil_granule=(0.10, 0.42, 0.30),
    basophil_granule=(0.60, 0.95, 0.45),
    azurophil_granule=(0.30, 0.60, 0.25),
    light=(205, 188, 198),
    uneven=0.08,
    refraction=0.004,
    blur_um=0.17,
    blur_px=0.9,
    fringe_um=0.08,
    sharpen=0.0,
    noise=1.2,
)

_UNFOCUSED = replace(
    _VIOLET,
    name="unfocused",
    light=(84, 80, 88),
    uneven=0.55,
    blur_um=1.5,
    sharpen=0.0,
    noise=3.0,
)

_SECTION = replace(
    _VIOLET,
    name="section",
    nucleus=(0.62, 0.60, 0.24),
    eosin=(0.06, 0.36, 0.17),
    light=(246, 244, 246),
    refraction=0.004,
)

LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        look.name: look
        for look in (
            _VIOLET,
            _BLUE,
            _ROSE,
            _PALE,
            _CREAM,
            _BENCH,
            _PLUM,
            _UNFOCUSED,
            _SECTION,
        )
    }
)
"""Every look that can be named, by its name."""
