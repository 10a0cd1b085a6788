"""Damage drawn files at random and decode them: never a crash, every refusal a sentence.

    python -m benchmarks.fuzz_decode --count 100000 --seed 0

One process, so that a crash in a decoder ends the run and cannot be missed. Prints one line an
outcome: `picture`, or the words of a refusal without name and numbers.
"""

import argparse
import io
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping

import cv2
import numpy as np
from PIL import Image

from leukemia_app.errors import ImageError
from leukemia_app.imaging.decode import decode

NAME = "seed.bin"
_SENTENCE = re.compile(r"seed\.bin [a-z][^\n]*[^.\s]\.", re.DOTALL)
_STACK_TALK = re.compile(r"Traceback|Error\b|Exception|0x[0-9a-f]{4}|<[a-z_]+[ .]")
_ORIENTATION = 0x0112


def seeds() -> list[bytes]:
    """Small true files, several of every accepted format."""
    noise = np.random.default_rng(0).integers(0, 256, (24, 20, 4), dtype=np.uint8)
    noise[4:18, 4:16, :3] = (160, 110, 170)  # an even part, so that runs and tables are in use
    deep = noise.astype(np.uint16) * 257
    rgba, rgb = Image.fromarray(noise), Image.fromarray(noise[..., :3].copy())
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    turned = {"exif": exif.tobytes()}
    pillow = [
        *_saved(rgb, "JPEG", {}, {"progressive": True}, {"optimize": True, **turned}),
        *_saved(rgb.convert("L"), "JPEG", {}),
        *_saved(rgb.convert("CMYK"), "JPEG", {}),
        *(_saved_twice(rgb, container) for container in ("MPO", "PNG", "WEBP", "TIFF")),
        *_saved(rgb, "PNG", {}, turned),
        *_saved(rgba, "PNG", {}),
        *_saved(rgb.quantize(16), "PNG", {}, {"transparency": 1}),
        *_saved(rgb.convert("1"), "PNG", {}),
        *_saved(rgb, "BMP", {}),
        *_saved(rgb.quantize(16), "BMP", {}),
        *_saved(rgb, "WEBP", {}, {"lossless": True}, turned),
        *_saved(rgba, "WEBP", {}),
        *_saved(rgb, "TIFF", {}, turned, *_compressions("tiff_lzw", "jpeg", "packbits")),
        *_saved(rgb.quantize(16), "TIFF", {}),
        *_saved(rgb.convert("1"), "TIFF", {}, *_compressions("group4", "tiff_adobe_deflate")),
    ]
    return pillow + [
        bytes(cv2.imencode(ending, pixels)[1])
        for ending in (".png", ".tiff")
        for pixels in (deep, deep[..., :3], deep[..., 0])
    ]


def _compressions(*names: str) -> list[Mapping[str, object]]:
    return [{"compression": name} for name in names]


def _saved(image: Image.Image, container: str, *options: Mapping[str, object]) -> Iterator[bytes]:
    for chosen in options:
        file = io.BytesIO()
        image.save(file, container, **chosen)
        yield file.getvalue()


def _saved_twice(image: Image.Image, container: str) -> bytes:
    # Of copies: Pillow leaves a format's settings on an image, and the next format trips.
    file = io.BytesIO()
    image.copy().save(file, container, save_all=True, append_images=[image.rotate(180)])
    return file.getvalue()


def mutated(data: bytes, generator: np.random.Generator) -> bytes:
    """The file after one to four accidents: bits, bytes, numbers, lengths, order."""
    damaged = bytearray(data)
    for _ in range(generator.integers(1, 5)):
        _damage(damaged, generator)
    return bytes(damaged)


def _damage(damaged: bytearray, generator: np.random.Generator) -> None:
    if not damaged:
        return
    # Half of the accidents hit the first 200 bytes: there lie headers and directories.
    reach = len(damaged) if generator.random() < 0.5 else min(len(damaged), 200)
    at = int(generator.integers(reach))
    match int(generator.integers(7)):
        case 0:
            damaged[at] ^= 1 << int(generator.integers(8))
        case 1:
            damaged[at] = int(generator.integers(256))
        case 2:
            edges = (0, 1, 0x7F, 0x80, 0xFF)
            damaged[at : at + 4] = bytes([edges[int(generator.integers(5))]] * 4)
        case 3:
            del damaged[at:]
        case 4:
            del damaged[at : at + int(generator.integers(1, 33))]
        case 5:
            damaged[at:at] = generator.bytes(int(generator.integers(1, 33)))
        case _:
            source = int(generator.integers(len(damaged)))
            damaged[at:at] = damaged[source : source + int(generator.integers(1, 65))]


def outcome(data: bytes) -> str:
    """What became of the bytes: `picture`, or the kind of refusal.

    Raises:
        AssertionError: a picture breaks its promise, or a refusal is no plain sentence.
    """
    try:
        picture = decode(data, NAME)
    except ImageError as error:
        text = str(error)
        if not _SENTENCE.fullmatch(text) or _STACK_TALK.search(text):
            raise AssertionError(f"not a plain sentence: {text!r}") from error
        return re.sub(r"[\d,.]*\d", "N", text.split(". ")[0].removeprefix(NAME).strip(" ."))
    if picture.pixels.dtype != np.uint8 or picture.pixels.ndim != 3 or picture.pixels.size == 0:
        raise AssertionError(f"not a picture: {picture.pixels.shape} {picture.pixels.dtype}")
    return "picture"


def main() -> int:
    """Run the damage and print how often each outcome was met."""
    parser = argparse.ArgumentParser(description="Damage drawn files at random and decode them.")
    parser.add_argument("--count", type=int, default=100_000, help="how many damaged files")
    parser.add_argument("--seed", type=int, default=0, help="of the random damage")
    arguments = parser.parse_args()
    files, counts = seeds(), Counter[str]()
    generator = np.random.default_rng(arguments.seed)
    start, slowest_s = time.perf_counter(), 0.0
    for number in range(arguments.count):
        data = mutated(files[number % len(files)], generator)
        began = time.perf_counter()
        counts[outcome(data)] += 1
        slowest_s = max(slowest_s, time.perf_counter() - began)
    took_s = time.perf_counter() - start
    lines = [f"{count:8,}  {what}" for what, count in counts.most_common()]
    summary = (
        f"{arguments.count:,} files of {len(files)} seeds in {took_s:.0f} s, "
        f"slowest {slowest_s:.2f} s, seed {arguments.seed}"
    )
    sys.stdout.write("\n".join([summary, *lines, ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
