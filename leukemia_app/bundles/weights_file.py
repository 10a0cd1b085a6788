"""A weights file from a stranger: HDF5 can point at other files, and hold more than it weighs."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from leukemia_app.errors import BundleError

MAX_BYTES = 2_000_000_000
"""Of all arrays together, unpacked: five times the largest network that is known here."""
MAX_ITEMS = 20_000
MAX_DEPTH = 32
FILTERS = frozenset({1, 2, 3, 32_000})
"""Deflate, shuffle, checksum and LZF: those that come with HDF5 or h5py."""


def check_weights_file(path: Path, name: str | None = None) -> None:
    """Refuse a file of weights that is more than arrays of numbers; no array is read.

    `name` is what it is called in words, if not by its folder and file. Nothing is looked at
    where h5py is missing: there nothing can read it either.

    Raises:
        BundleError: it is no HDF5 file, or holds links, other files, text, objects, or too much.
    """
    if find_spec("h5py") is None:
        return
    import h5py

    name = name or f"{path.parent.name}/{path.name}"
    try:
        with h5py.File(path, "r") as file:
            _Walk(name=name).visit(file, 0)
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise BundleError(
            f"{name} is no file of weights that can be read. Get the bundle again."
        ) from error


class _Walk:
    """Counts what a file holds on the way through its groups."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._items = 0
        self._bytes = 0

    def visit(self, group: Any, depth: int) -> None:
        import h5py

        for key in group:
            self._items += 1
            if depth > MAX_DEPTH or self._items > MAX_ITEMS:
                raise self._refusal("has more groups than any network")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise self._refusal("holds a link")
            item = group[key]
            if isinstance(item, h5py.Group):
                self.visit(item, depth + 1)
            else:
                self._look_at(item)

    def _look_at(self, item: Any) -> None:
        import h5py

        if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiub":
            raise self._refusal("holds more than arrays of numbers")
        # What lies in another file would be read with the rights of this server.
        if item.is_virtual or item.external:
            raise self._refusal("points at another file")
        plan = item.id.get_create_plist()
        if not {plan.get_filter(place)[0] for place in range(plan.get_nfilters())} <= FILTERS:
            raise self._refusal("is packed in a way that is not read")
        self._bytes += item.size * item.dtype.itemsize
        if self._bytes > MAX_BYTES:
            raise self._refusal(f"would unpack to more than {MAX_BYTES / 1e9:g} GB")

    def _refusal(self, why: str) -> BundleError:
        return BundleError(f"{self._name} is not taken: it {why}. Get the bundle again.")
