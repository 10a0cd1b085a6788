"""Which cells a drawn field holds, by label."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from leukemia_app.imaging.render_blood import Blood


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """What lies in one field."""

    meaning: str
    """The label in words."""
    cells: tuple[tuple[str, float], ...]
    """Kinds of cells and their shares, which add up to 1."""
    n_cells: tuple[int, int]
    """Fewest and most white cells, neighbours cut by the frame included."""
    clustered: float
    """Chance that a cell lies beside the one before it."""
    blood: Blood
    looks: tuple[str, ...]
    """Names of the looks to choose from."""


FIELDS: Mapping[str, Mixture] = MappingProxyType(
    {
        "Benign": Mixture(
            meaning="field without leukemia: haematogones among mature cells of many kinds",
            cells=(
                ("hematogone", 0.42),
                ("lymphocyte", 0.14),
                ("ig", 0.16),
                ("erythroblast", 0.10),
                ("neutrophil", 0.12),
                ("monocyte", 0.06),
            ),
            n_cells=(8, 13),
            clustered=0.2,
            blood=Blood(cover=0.55, pallor=0.55, rouleaux=0.15, crenated=0.12, smudges=1),
            looks=("pale", "violet", "blue"),
        ),
        "Early": Mixture(
            meaning="field of early pre-B lymphoblastic leukemia",
            cells=(("Early", 1.0),),
            n_cells=(5, 10),
            clustered=0.25,
            blood=Blood(cover=0.42, pallor=0.35, rouleaux=0.5, crenated=0.08),
            looks=("violet", "bench", "cream"),
        ),
        "Pre": Mixture(
            meaning="field of pre-B lymphoblastic leukemia",
            cells=(("Pre", 0.97), ("lymphocyte", 0.03)),
            n_cells=(17, 26),
            clustered=0.45,
            blood=Blood(cover=0.4, pallor=0.9, rouleaux=0.15, smudges=3),
            looks=("blue", "violet", "bench"),
        ),
        "Pro": Mixture(
            meaning="field of pro-B lymphoblastic leukemia",
            cells=(("Pro", 1.0),),
            n_cells=(6, 10),
            clustered=0.1,
            blood=Blood(cover=0.45, pallor=0.95, rouleaux=0.15, smudges=1),
            looks=("rose", "violet", "cream"),
        ),
        "blood": Mixture(
            meaning="field of blood with mature cells only",
            cells=(
                ("neutrophil", 0.58),
                ("lymphocyte", 0.30),
                ("monocyte", 0.08),
                ("eosinophil", 0.04),
            ),
            n_cells=(3, 5),
            clustered=0.0,
            blood=Blood(cover=0.5, pallor=0.9, rouleaux=0.1, platelets_per_mm2=2500),
            looks=("cream", "bench", "pale"),
        ),
    }
)
"""Every field of a smear that can be drawn, by its label in the data sets where it has one."""
