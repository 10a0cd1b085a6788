"""How far a picture's features lie from those of the training pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leukemia_app.imaging.picture import FloatArray


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A Gaussian of the training features: a few strong directions and what lies beside them.

    `mean` is (n_features,), `directions` (n_features, n_directions) with orthonormal columns,
    `spread` (n_directions,) the standard deviation along each, `rest` that beside them all.
    Source: the probabilistic principal components of Tipping & Bishop (1999).
    """

    mean: FloatArray
    directions: FloatArray
    spread: FloatArray
    rest: float

    def score(self, features: FloatArray) -> FloatArray:
        """Mahalanobis distance over the square root of n_features, (n_images,); about 1 inside.

        `features` is (n_images, n_features) float32.
        """
        centred = features - self.mean
        along = centred @ self.directions
        beside = np.maximum((centred**2).sum(1) - (along**2).sum(1), 0)
        squared = ((along / self.spread) ** 2).sum(1) + beside / self.rest**2
        distance: FloatArray = np.sqrt(squared / features.shape[1]).astype(np.float32)
        return distance

    def save(self, path: Path) -> None:
        """Write the statistics as arrays only."""
        np.savez(path, mean=self.mean, directions=self.directions, spread=self.spread,
                 rest=np.float32(self.rest))  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> "Scope":
        """Read what `save` wrote; nothing is unpickled."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(mean=arrays["mean"], directions=arrays["directions"],
                       spread=arrays["spread"], rest=float(arrays["rest"]))  # fmt: skip
