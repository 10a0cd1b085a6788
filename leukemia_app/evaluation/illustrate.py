"""Readings with the pictures that a report shows of them."""

from leukemia_app.bundles.predictor import Examination
from leukemia_app.bundles.reading import Reading
from leukemia_app.evaluation import words
from leukemia_app.evaluation.report import Illustrated
from leukemia_app.evaluation.results import Unread
from leukemia_app.imaging.decode import encode_png
from leukemia_app.imaging.morphology import describe
from leukemia_app.imaging.overlay import fit_for_screen, heat_overlay, outline, thumbnail
from leukemia_app.imaging.picture import Picture

REPORT_PX = 640
"""Longest side of the one picture of a report."""
THUMBNAIL_PX = 96
MAP_STRENGTH = 0.7
"""How much of the map covers the picture, 0 to 1."""


def illustrate(picture: Picture, examination: Examination) -> Illustrated:
    """One reading with its cells outlined, its map, and its main cell in words."""
    pixels = fit_for_screen(picture.pixels, REPORT_PX)
    segmentation = examination.segmentation
    outlined = outline(pixels, segmentation) if segmentation.count else pixels
    mapped, map_words = None, words.NO_MAP
    explanation = examination.explanation
    if explanation is not None:
        mapped = encode_png(heat_overlay(pixels, explanation.heat, MAP_STRENGTH))
        share = explanation.share_inside_cells
        told = "" if share is None else words.map_share(explanation.label, share) + " "
        map_words = f"Map for {explanation.label}. {told}{words.MAP_HINT}"
    main = (cell for cell in examination.measures if cell.number == segmentation.main)
    return Illustrated(
        result=examination.reading,
        outlined=encode_png(outlined),
        mapped=mapped,
        map_words=map_words,
        phrases=next((describe(cell) for cell in main), ()),
    )


def illustrate_small(result: Reading | Unread, picture: Picture | None) -> Illustrated:
    """One of many results, with a small picture where there is one."""
    if picture is None:
        return Illustrated(result=result)
    return Illustrated(result=result, thumbnail=encode_png(thumbnail(picture.pixels, THUMBNAIL_PX)))
