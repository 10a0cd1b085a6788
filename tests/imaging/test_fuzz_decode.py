from collections import Counter

import numpy as np
import pytest

from benchmarks.fuzz_decode import mutated, outcome, seeds
from leukemia_app.imaging.decode import decode

ANIMATED_OR_CMYK = 3
"""Seeds that are refused whole: an animated PNG, an animated WebP, a CMYK JPEG."""


def test_seeds_cover_every_format_and_depth():
    whole = [data for data in seeds() if outcome(data) == "picture"]
    sources = [decode(data, "seed").source for data in whole]
    assert len(seeds()) - len(whole) == ANIMATED_OR_CMYK
    assert {source.format for source in sources} == {"JPEG", "PNG", "BMP", "WEBP", "TIFF"}
    assert {source.bit_depth for source in sources} == {1, 8, 16}
    assert {source.pages for source in sources} == {1, 2}


def test_damage_is_the_same_for_the_same_seed():
    data = seeds()[0]
    first, again = (mutated(data, np.random.default_rng(3)) for _ in range(2))
    assert first == again != data


# Pillow warns of damage that it forgives; as errors these warnings would hide what it returns.
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_files_give_a_picture_or_a_sentence():
    generator, files = np.random.default_rng(1), seeds()
    counts = Counter(outcome(mutated(files[n % len(files)], generator)) for n in range(2_000))
    assert counts["picture"] > 100
    assert counts.total() - counts["picture"] > 1_000
