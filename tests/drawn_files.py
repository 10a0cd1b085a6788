"""Small drawn pictures, and files of them in every format."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROWS, COLUMNS = 20, 24


def drawn(channels: int = 3, dtype: type = np.uint8) -> NDArray[Any]:
    """Noise of ROWS x COLUMNS over the whole range of `dtype`: no channels alike, no symmetry."""
    top = np.iinfo(dtype).max
    noise = np.random.default_rng(7).integers(0, top + 1, (ROWS, COLUMNS, channels), dtype=dtype)
    return noise if channels > 1 else noise[..., 0]


def stored(image: Image.Image, container: str, **options: Any) -> bytes:
    """A file of the picture, lossless where the format knows it."""
    file = io.BytesIO()
    if container == "WEBP":
        options = {"lossless": True, "exact": True, **options}
    image.save(file, container, **options)
    return file.getvalue()
