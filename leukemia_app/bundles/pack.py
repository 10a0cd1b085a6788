"""A bundle as one zip file, to be carried to another machine."""

import io
import zipfile
from pathlib import Path

from leukemia_app.bundles.spec import Spec
from leukemia_app.bundles.store import SPEC_FILE, verify

CARD = "README.md"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The same bundle gives the same bytes, whenever it is packed."""


def pack(folder: Path) -> bytes:
    """The bundle's files, and nothing else that may lie beside them, in a folder of its id.

    Stored, not squeezed: weights do not shrink.

    Raises:
        BundleError: the bundle is damaged.
    """
    spec: Spec = verify(folder)
    names = (SPEC_FILE, *([CARD] if (folder / CARD).is_file() else []), *sorted(spec.files))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            info = zipfile.ZipInfo(f"{spec.id}/{name}", LONG_AGO)
            info.external_attr = 0o644 << 16
            archive.writestr(info, (folder / name).read_bytes())
    return made.getvalue()
