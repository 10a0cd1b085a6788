"""Drawn cells in folders as notebooks have them, with the table that a run reads."""

from pathlib import Path

import cv2
import numpy as np

LABELS = ("large", "small")
RADII = {"large": 0.34, "small": 0.22}
"""Of a cell, as a share of the picture's side."""


def draw_folders(into: Path, counts: dict[str, int], side_px: int) -> Path:
    """Write `counts[part]` pictures a label to `part/label/number.png`; the table of groups."""
    rng = np.random.default_rng(0)
    lines = ["file,label,group,part"]
    for part, count in counts.items():
        for label in LABELS:
            folder = into / part / label
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                pixels = np.full((side_px, side_px, 3), (216, 208, 232), np.uint8)
                centre = tuple(map(int, rng.integers(side_px * 2 // 5, side_px * 3 // 5, 2)))
                radius = RADII[label] * rng.uniform(0.85, 1.15) * side_px
                cv2.circle(pixels, centre, int(radius), (190, 110, 150), -1, cv2.LINE_AA)
                cv2.circle(pixels, centre, int(0.7 * radius), (140, 50, 90), -1, cv2.LINE_AA)
                noisy = np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255)
                cv2.imwrite(str(folder / f"{number}.png"), noisy.astype(np.uint8))
                file = f"{part}/{label}/{number}.png"
                lines.append(f"{file},{label},{part}-{label}-{number},{part}")
    table = into / "groups.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table
