"""Readings and specs made by hand, for tests of whatever shows or keeps them."""

from typing import Any

from leukemia_app.bundles.reading import Decision, Reading, ScopeScore
from leukemia_app.bundles.spec import Figure, Label, NetworkSpec, ScopeSpec, Spec
from leukemia_app.imaging.recipe import Recipe

MORPHOLOGY = {
    "number": 1, "area_px": 2310, "diameter_px": 54.2, "diameter_um": None,
    "nucleus_area_px": 1894, "nc_ratio": 0.82, "roundness": 0.93, "nucleus_roundness": 0.9,
    "solidity": 0.97, "lobes": 1, "nucleus_stain": None, "cytoplasm_stain": None, "border": False,
}  # fmt: skip


def reading_of(**changes: Any) -> Reading:
    """An answered reading of four classes; `changes` replace single fields."""
    values: dict[str, Any] = {
        "file": "frame.png",
        "model": "four",
        "probabilities": {"Benign": 0.02, "Early": 0.18, "Pre": 0.087, "Pro": 0.713},
        "decision": Decision(kind="label", label="Pro"),
        "scope": ScopeScore(score=0.9, limit=1.5),
        "morphology": MORPHOLOGY,
        "cells": 3,
        "remarks": ("The picture was turned upright.",),
        "box": (0, 0, 224, 224),
        "ms": {"decode": 20.0, "model": 100.0},
        "recipe_digest": "ab" * 32,
        "bundle_sha256": "cd" * 32,
    }
    return Reading(**(values | changes))


def referred(*reasons: str, label: str = "Pro", **changes: Any) -> Reading:
    """A reading that is left to an expert."""
    decision = Decision(kind="refer", label=label, reasons=reasons or ("It is blurred.",))
    return reading_of(decision=decision, **changes)


def spec_of(**changes: Any) -> Spec:
    """A spec of four field classes; `changes` replace single fields."""
    values: dict[str, Any] = {
        "id": "four",
        "title": "Fields, four classes",
        "summary": "Reads marrow fields.",
        "labels": tuple(
            Label(name=name, meaning=f"meaning of {name}")
            for name in ("Benign", "Early", "Pre", "Pro")
        ),
        "label_kind": "field subtype",
        "network": NetworkSpec(backbone="mobilenet", head="attention"),
        "recipe": Recipe(input="field", side_px=160),
        "temperature": 1.3,
        "threshold": 0.6,
        "scope": ScopeSpec(file="scope.npz", limit=1.5),
        "figures": (
            Figure(name="macro-F1", value=0.981, low=0.962, high=0.993, part="test", n=574,
                   n_groups=17, group_level="run"),
            Figure(name="macro-F1", value=0.93, low=None, high=None, part="test", n=574,
                   n_groups=17, group_level="run", kind="control", note="colour only"),
        ),
        "data": {"name": "4-class ALL", "licence": "research"},
        "split": {"level": "run", "parts": {"train": {"pictures": 2000, "groups": 60}}},
        "intended_use": "Teaching.",
        "not_for": "Patients.",
        "licence": "MIT",
        "parents": (),
        "training": {"command": "python -m leukemia_app train DATA", "seed": 7},
        "versions": {"keras": "3.15.1"},
        "files": {},
    }  # fmt: skip
    return Spec(**(values | changes))
