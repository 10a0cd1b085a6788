"""The pictures and answers that a bundle carries to test itself: reference.npz."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leukemia_app.bundles.spec import Spec
from leukemia_app.errors import BundleError
from leukemia_app.imaging.picture import FloatArray, UInt8Array
from leukemia_app.imaging.recipe import PREPROCESSING_VERSION

REFERENCE_FILE = "reference.npz"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What was true when the bundle was written."""

    pictures: tuple[UInt8Array, ...]
    """Each (rows, columns, 3) uint8 RGB."""
    tensors: FloatArray
    """What the recipe made of them, (n_pictures, side, side, 3) float32."""
    logits: FloatArray
    """What the network said to these tensors, (n_pictures, n_outputs) float32."""
    features: FloatArray
    """The averages of its feature map, (n_pictures, channels) float32."""
    served: Mapping[str, Any]
    """The parts of bundle.json that decide answers, by name, as `served_values` gave them."""

    def __post_init__(self) -> None:
        """Refuse arrays that no self-test can use."""
        axes = [self.tensors.ndim, self.logits.ndim, self.features.ndim]
        if axes != [4, 2, 2] or {each.ndim for each in self.pictures} != {3}:
            raise ValueError(f"its arrays have {axes} axes")
        if not isinstance(self.served, Mapping):
            raise ValueError("its served values are no object")

    @property
    def n_outputs(self) -> int:
        """Outputs of the network: one a label, or a single one for two labels."""
        return int(self.logits.shape[1])

    def save(self, path: Path) -> None:
        """Write arrays only."""
        pictures = {f"picture_{number}": pixels for number, pixels in enumerate(self.pictures)}
        np.savez_compressed(
            path,
            allow_pickle=False,
            tensors=self.tensors,
            logits=self.logits,
            features=self.features,
            served=np.frombuffer(json.dumps(self.served).encode(), np.uint8),
            **pictures,
        )

    @classmethod
    def load(cls, path: Path) -> "Reference":
        """Read what `save` wrote; nothing is unpickled.

        Raises:
            BundleError: the file is missing or damaged.
        """
        try:
            # NumPy leaves a file open that it opened itself and then could not read.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                count = sum(name.startswith("picture_") for name in arrays.files)
                return cls(
                    pictures=tuple(arrays[f"picture_{number}"] for number in range(count)),
                    tensors=arrays["tensors"],
                    logits=arrays["logits"],
                    features=arrays["features"],
                    served=json.loads(arrays["served"].tobytes()),
                )
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise BundleError(
                f"{path.parent.name}/{path.name} cannot be read ({error}). Get the bundle again."
            ) from error


def served_values(spec: Spec) -> dict[str, Any]:
    """The values of bundle.json that decide an answer, as JSON gives them back, by dotted name.

    Figures, texts and provenance may be added to a bundle later; these may not change.
    """
    plain = spec.to_dict()
    values = {
        "preprocessing_version": PREPROCESSING_VERSION,
        "labels": spec.label_names,
        "temperature": spec.temperature,
        "threshold": spec.threshold,
        "positive_threshold": spec.positive_threshold,
        # Bundles made before there was a choice of a block do not name it.
        "scope": plain["scope"] and {k: v for k, v in plain["scope"].items() if v != ""},
    }
    for part in ("network", "recipe"):
        values |= {f"{part}.{key}": value for key, value in plain[part].items()}
    as_read: dict[str, Any] = json.loads(json.dumps(values))
    return as_read
