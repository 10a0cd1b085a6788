import numpy as np

from leukemia_app.data.duplicates import signature
from leukemia_app.data.facts import facts_of, looks, places, signatures
from leukemia_app.data.marks import line_places
from leukemia_app.data.runs import look_of
from leukemia_app.imaging.picture import Picture, Source, pixels_digest


def picture(seed, rows=40, columns=50):
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), np.uint8)
    source = Source(format="PNG", rows=rows, columns=columns, bit_depth=8)
    return Picture(pixels=pixels, name=f"{seed}.png", source=source)


def test_what_is_kept_of_a_picture():
    facts = facts_of("a/0.png", picture(0))
    assert (facts.file, facts.rows, facts.columns, facts.format) == ("a/0.png", 40, 50, "PNG")
    assert facts.digest == pixels_digest(picture(0))
    assert [finding.kind for finding in facts.findings] == ["too small"]
    assert facts.frame == ""


def test_arrays_come_back_as_they_were():
    pictures = [picture(seed) for seed in range(3)]
    facts = [facts_of(item.name, item) for item in pictures]
    for number, item in enumerate(pictures):
        np.testing.assert_array_equal(signatures(facts)[number], signature(item.pixels))
        np.testing.assert_array_equal(looks(facts)[number], look_of(item.pixels))
        np.testing.assert_array_equal(places(facts)[number], line_places(item.pixels))


def test_a_picture_of_a_set_costs_about_two_kilobytes():
    facts = facts_of("a.png", picture(0, 300, 300))
    assert len(facts.signature) + len(facts.look) + len(facts.places) < 2200
