"""What each kind of blood cell looks like, as data: sizes, nucleus, chromatin, cytoplasm."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Form:
    """Shape and texture of one kind of cell on a dried film.

    Source of sizes and shapes: Bain, Blood Cells: A Practical Guide, 5th ed. 2015; the
    diameters of lymphoblasts and lymphocytes fit the single-cell pictures of C-NMC 2019.
    """

    diameter_um: float
    diameter_sd_um: float
    nucleus: str
    """`round`, `indented`, `kidney`, `lobes`, or `none`."""
    nc: float
    """Area of the nucleus as a part of the area of the cell, before notches are cut."""
    lobes: tuple[int, int] = (1, 1)
    """Fewest and most lobes of a lobed nucleus."""
    wobble: float = 0.03
    """How far the outline leaves the circle, as a part of the radius."""
    ragged: float = 0.0
    """Short waves of the outline: blebs and frayed borders, as a part of the radius."""
    density: float = 1.0
    """Strength of the chromatin's stain."""
    fine: float = 0.08
    """Contrast of chromatin grains of about 0.3 micrometres."""
    clump: float = 0.05
    """Contrast of chromatin blocks of about 0.8 micrometres."""
    open: float = 0.0
    """Pale parachromatin: how much weaker the stain is in scattered spots."""
    rim: float = 0.12
    """How much darker the nuclear membrane is."""
    nucleoli: tuple[int, int] = (0, 0)
    """Fewest and most nucleoli."""
    basophilia: float = 0.5
    """Cytoplasm from pink (0, eosin) to blue (1, azure)."""
    cytoplasm: float = 0.8
    """Strength of the cytoplasm's stain."""
    granules: str = "none"
    """`none`, `neutrophil`, `eosinophil`, `basophil`, `azurophil`."""
    granules_per_um2: float = 0.0
    vacuoles: tuple[int, int] = (0, 0)
    """Fewest and most vacuoles in the cytoplasm."""


_LYMPHOBLAST = Form(
    diameter_um=13.0,
    diameter_sd_um=1.0,
    nucleus="indented",
    nc=0.90,
    wobble=0.055,
    ragged=0.004,
    fine=0.08,
    clump=0.05,
    open=0.25,
    rim=0.10,
    nucleoli=(1, 3),
    basophilia=0.9,
    cytoplasm=0.9,
)

FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "all": _LYMPHOBLAST,
        "Early": replace(
            _LYMPHOBLAST,
            diameter_um=10.9,
            diameter_sd_um=1.0,
            nc=0.93,
            wobble=0.06,
            ragged=0.006,
            nucleoli=(0, 1),
            basophilia=1.0,
        ),
        "Pre": replace(_LYMPHOBLAST, diameter_um=11.8, diameter_sd_um=2.0, nucleoli=(0, 2)),
        "Pro": replace(
            _LYMPHOBLAST,
            diameter_um=10.9,
            diameter_sd_um=1.2,
            nc=0.93,
            wobble=0.07,
            clump=0.06,
            fine=0.08,
            nucleoli=(0, 2),
        ),
        "hematogone": Form(
            diameter_um=8.8,
            diameter_sd_um=1.2,
            nucleus="indented",
            nc=0.90,
            wobble=0.06,
            ragged=0.006,
            density=1.05,
            fine=0.07,
            clump=0.12,
            rim=0.10,
            basophilia=0.8,
            cytoplasm=0.8,
        ),
        "hem": Form(
            diameter_um=10.2,
            diameter_sd_um=0.7,
            nucleus="round",
            nc=0.80,
            wobble=0.04,
            ragged=0.005,
            density=1.08,
            fine=0.05,
            clump=0.16,
            open=0.14,
            rim=0.12,
            basophilia=0.75,
            cytoplasm=0.95,
        ),
        "lymphocyte": Form(
            diameter_um=10.0,
            diameter_sd_um=0.8,
            nucleus="round",
            nc=0.72,
            wobble=0.05,
            density=1.05,
            fine=0.06,
            clump=0.24,
            open=0.25,
            rim=0.25,
            basophilia=0.8,
            cytoplasm=0.75,
        ),
        "neutrophil": Form(
            diameter_um=13.5,
            diameter_sd_um=0.8,
            nucleus="lobes",
            nc=0.36,
            lobes=(3, 5),
            wobble=0.04,
            density=1.05,
            fine=0.05,
            clump=0.24,
            open=0.28,
            rim=0.22,
            basophilia=0.15,
            cytoplasm=0.5,
            granules="neutrophil",
            granules_per_um2=2.6,
        ),
        "eosinophil": Form(
            diameter_um=13.8,
            diameter_sd_um=0.8,
            nucleus="lobes",
            nc=0.36,
            lobes=(2, 3),
            wobble=0.05,
            fine=0.05,
            clump=0.20,
            open=0.15,
            rim=0.2,
            basophilia=0.35,
            cytoplasm=0.5,
            granules="eosinophil",
            granules_per_um2=9.0,
        ),
        "basophil": Form(
            diameter_um=12.0,
            diameter_sd_um=0.8,
            nucleus="lobes",
            nc=0.48,
            lobes=(2, 3),
            wobble=0.06,
            density=0.75,
            fine=0.05,
            clump=0.12,
            rim=0.08,
            basophilia=0.3,
            cytoplasm=0.9,
            granules="basophil",
            granules_per_um2=2.6,
        ),
        "monocyte": Form(
            diameter_um=16.0,
            diameter_sd_um=1.1,
            nucleus="kidney",
            nc=0.52,
            wobble=0.08,
            density=0.80,
            fine=0.09,
            clump=0.18,
            open=0.2,
            rim=0.2,
            basophilia=0.58,
            cytoplasm=0.85,
            granules="neutrophil",
            granules_per_um2=1.6,
            vacuoles=(0, 3),
        ),
        "erythroblast": Form(
            diameter_um=9.5,
            diameter_sd_um=0.9,
            nucleus="round",
            nc=0.55,
            wobble=0.03,
            density=1.25,
            fine=0.04,
            clump=0.16,
            rim=0.10,
            basophilia=0.55,
            cytoplasm=0.9,
        ),
        "ig": Form(
            diameter_um=15.5,
            diameter_sd_um=1.2,
            nucleus="indented",
            nc=0.52,
            wobble=0.05,
            density=0.88,
            fine=0.09,
            clump=0.18,
            open=0.15,
            rim=0.2,
            nucleoli=(0, 1),
            basophilia=0.5,
            cytoplasm=0.7,
            granules="azurophil",
            granules_per_um2=2.8,
        ),
        "platelet": Form(
            diameter_um=3.8,
            diameter_sd_um=0.5,
            nucleus="none",
            nc=0.0,
            wobble=0.06,
            ragged=0.012,
            basophilia=0.3,
            cytoplasm=1.0,
            granules="azurophil",
            granules_per_um2=8.0,
        ),
    }
)
"""Every kind of cell that can be drawn, by its name in the data sets where it has one."""
