"""A stranger's checkpoint as it lies on the disk, opened as data: which kind, and what it holds.

Only the child process of `checkpoint_child` comes here. Keras is not imported.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukemia_app.archives.safe_names import shown
from leukemia_app.archives.zip_reader import Member, MemberError, ZipReader, open_zip
from leukemia_app.bundles.checkpoint_labels import LABEL_FILES, found_labels
from leukemia_app.bundles.weights_file import check_weights_file
from leukemia_app.errors import BundleError, DatasetError

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MAX_CONFIG_BYTES = 20_000_000
MAX_SMALL_BYTES = 200_000
"""Of metadata and of labels."""
MAX_ENTRIES = 64
MODEL_SUFFIXES = (".keras", ".h5", ".hdf5")
HDF5, ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
KERAS, WHOLE_H5, WEIGHTS_ONLY = "Keras 3 file", "HDF5 file", "weights alone"

_FORMATS: Sequence[tuple[int, bytes, str]] = (
    (0, b"\x93NUMPY", "arrays of NumPy"),
    (0, b"\x80\x02", "a Python pickle, which runs code when it is opened"),
    (0, b"\x80\x03", "a Python pickle, which runs code when it is opened"),
    (0, b"\x80\x04", "a Python pickle, which runs code when it is opened"),
    (0, b"\x80\x05", "a Python pickle, which runs code when it is opened"),
    (4, b"TFL3", "a graph of LiteRT"),
    (0, b"\x1f\x8b", "an archive packed with gzip"),
    (257, b"ustar", "a tar archive"),
    (0, b"7z\xbc\xaf", "an archive packed with 7-Zip"),
)
"""Place, first bytes and name of formats that are often taken for checkpoints."""
_ADVICE = (
    "Give a .keras file, an .h5 file of a whole model, or weights of one of this app's networks."
)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a checkpoint holds; its arrays were looked over and are still closed."""

    kind: str
    """`KERAS`, `WHOLE_H5` or `WEIGHTS_ONLY`."""
    config: Any
    """The description of the network, a stranger's words; None for weights alone."""
    keras_version: str
    loss: Any
    """What it was trained for, as the file has it; a stranger's words."""
    weights: Path
    labels: tuple[str, ...]
    labels_from: str
    """Name of the file that they stood in; empty without any."""


def open_checkpoint(path: Path, scratch: Path, max_bytes: int) -> Checkpoint:
    """What lies at `path`; members of archives are written to the folder `scratch`.

    Raises:
        BundleError: it is no checkpoint that is read, too large, or made to do harm.
    """
    try:
        if path.is_dir():
            return _of_folder(path, scratch, max_bytes)
        return _of_file(path, path.name, scratch, max_bytes, beside=path.parent)
    except DatasetError as error:  # the reader of archives speaks of them alone
        raise BundleError(str(error)) from error
    except OSError as error:
        raise BundleError(
            f"{path.name} cannot be read ({error.strerror or error}). Look at its path, and at "
            "who may read it."
        ) from error


def _of_folder(folder: Path, scratch: Path, max_bytes: int) -> Checkpoint:
    if (folder / CONFIG).is_file() and (folder / WEIGHTS).is_file():
        config = _json(folder.name, CONFIG, _bytes_of(folder / CONFIG, MAX_CONFIG_BYTES))
        metadata = folder / METADATA
        about = _bytes_of(metadata, MAX_SMALL_BYTES) if metadata.is_file() else b"{}"
        return _of_parts(folder.name, config, about, folder / WEIGHTS, folder, max_bytes)
    if (folder / "saved_model.pb").exists() or (folder / "saved_model").is_dir():
        raise BundleError(
            f"{folder.name} is a SavedModel of TensorFlow, which is a program that may read and "
            "write files; it is not opened. Save the model as .keras."
        )
    found = sorted(path for path in folder.iterdir()
                   if path.suffix.lower() in MODEL_SUFFIXES and path.is_file())  # fmt: skip
    if len(found) != 1:
        several = ", ".join(shown(path.name) for path in found[:5])
        raise BundleError(
            f"{folder.name} holds {several or 'no checkpoint of Keras'}; "
            + ("name the one file that is meant." if found else _ADVICE)
        )
    return _of_file(found[0], found[0].name, scratch, max_bytes, beside=folder)


def _of_file(
    path: Path, name: str, scratch: Path, max_bytes: int, *, beside: Path, depth: int = 0
) -> Checkpoint:
    size = path.stat().st_size
    if size > max_bytes:
        raise BundleError(
            f"{name} has {size / 1e6:,.0f} MB, and the limit is {max_bytes / 1e6:,.0f} MB. Raise "
            "LEUKEMIA_MODEL_MB if it is to be trusted."
        )
    with path.open("rb") as file:
        head = file.read(512)
    suffix = path.suffix.lower()
    if head.startswith(ZIP):
        if suffix not in (".keras", ".zip"):
            raise _wrong_suffix(name, "a zip archive")
        return _of_archive(path, name, scratch, max_bytes, beside=beside, depth=depth)
    if head.startswith(HDF5):
        if suffix not in (".h5", ".hdf5"):
            raise _wrong_suffix(name, "an HDF5 file")
        return _of_hdf5(path, name, beside)
    kind = next((each for place, sign, each in _FORMATS if head[place:].startswith(sign)), None)
    if kind is None and suffix in (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin", ".ckpt"):
        kind = "no file of Keras, by its name"
    raise BundleError(f"{name} is not taken: it is {kind or 'no checkpoint of Keras'}. {_ADVICE}")


def _wrong_suffix(name: str, what: str) -> BundleError:
    return BundleError(
        f"{name} is not taken: it is {what}, which its suffix does not say. Name it as the "
        "program did that saved it, .keras or .h5."
    )


def _of_archive(
    path: Path, name: str, scratch: Path, max_bytes: int, *, beside: Path, depth: int
) -> Checkpoint:
    with open_zip(path) as file:
        reader = ZipReader(file, name, MAX_ENTRIES, "A checkpoint has three files.")
        members = _members(name, reader, max_bytes)
        if CONFIG in members and WEIGHTS in members:
            if extra := sorted(set(members) - {CONFIG, METADATA, WEIGHTS}):
                raise BundleError(
                    f"{name} is not taken: it holds {shown(extra[0])} beside the network, which "
                    f"networks of plain layers do not need. {_ADVICE}"
                )
            config = _json(name, CONFIG, _content(name, reader, members[CONFIG], MAX_CONFIG_BYTES))
            about = b"{}"
            if METADATA in members:
                about = _content(name, reader, members[METADATA], MAX_SMALL_BYTES)
            weights = _extracted(name, reader, members[WEIGHTS], scratch / WEIGHTS)
            return _of_parts(name, config, about, weights, beside, max_bytes)
        return _of_parcel(name, reader, members, scratch, max_bytes, depth)


def _members(name: str, reader: ZipReader, max_bytes: int) -> dict[str, Member]:
    """Its files by name; names that lead anywhere, doubles and links are refused."""
    found: dict[str, Member] = {}
    for member in reader.members:
        if member.is_folder:
            continue
        try:
            member.check()
        except MemberError as error:
            raise BundleError(f"{name}: {shown(member.name)} {error}.") from error
        if "/" in member.name or "\\" in member.name or member.name in ("", ".", ".."):
            raise BundleError(
                f"{name} is not taken: it holds {shown(member.name)}, which lies in a folder. A "
                "checkpoint holds config.json, metadata.json and model.weights.h5 alone."
            )
        if member.name in found:
            raise BundleError(
                f"{name} is not taken: it holds {shown(member.name)} twice. Save the model again."
            )
        found[member.name] = member
    if sum(member.size_bytes for member in found.values()) > max_bytes:
        raise BundleError(
            f"{name} is not taken: it would unpack to more than {max_bytes / 1e6:,.0f} MB."
        )
    return found


def _of_parcel(
    name: str, reader: ZipReader, members: Mapping[str, Member], scratch: Path, max_bytes: int,
    depth: int,
) -> Checkpoint:  # fmt: skip
    """A zip with one checkpoint and its labels, as Teachable Machine gives them."""
    models = [each for each in members if Path(each).suffix.lower() in MODEL_SUFFIXES]
    labels = [each for each in members if each.lower() in LABEL_FILES]
    if "bundle.json" in members or depth or len(models) != 1:
        raise BundleError(f"{name} is not taken: it is a zip archive without one checkpoint in "
                          f"it. {_ADVICE}")  # fmt: skip
    if extra := sorted(set(members) - {*models, *labels}):
        raise BundleError(
            f"{name} is not taken: it holds {shown(extra[0])} beside the checkpoint and its "
            f"labels. {_ADVICE}"
        )
    folder = scratch / "parcel"
    folder.mkdir()
    for each in labels:
        content = _content(name, reader, members[each], MAX_SMALL_BYTES)
        (folder / each.lower()).write_bytes(content)
    suffix = Path(models[0]).suffix.lower()
    path = _extracted(name, reader, members[models[0]], folder / f"model{suffix}")
    return _of_file(path, models[0], scratch, max_bytes, beside=folder, depth=depth + 1)


def _of_parts(
    name: str, config: Any, about: bytes, weights: Path, beside: Path, max_bytes: int
) -> Checkpoint:
    if weights.stat().st_size > max_bytes:
        raise BundleError(f"{name} has more than {max_bytes / 1e6:,.0f} MB, which is the limit.")
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise BundleError(f"{name} is not taken: its {CONFIG} describes no network of Keras. "
                          f"{_ADVICE}")  # fmt: skip
    metadata = _json(name, METADATA, about)
    version = metadata.get("keras_version") if isinstance(metadata, Mapping) else None
    check_weights_file(weights, f"{name}: {WEIGHTS}")
    trained = config.get("compile_config")
    labels, source = found_labels(beside, config)
    return Checkpoint(
        kind=KERAS, config=config, keras_version=_version(version), weights=weights,
        loss=trained.get("loss") if isinstance(trained, Mapping) else None,
        labels=labels, labels_from=source,
    )  # fmt: skip


def _of_hdf5(path: Path, name: str, beside: Path) -> Checkpoint:
    import h5py

    check_weights_file(path, name)
    with h5py.File(path, "r") as file:
        config = _attribute(file, "model_config", MAX_CONFIG_BYTES)
        trained = _attribute(file, "training_config", MAX_CONFIG_BYTES)
        version = _attribute(file, "keras_version", MAX_SMALL_BYTES)
        if config is not None and "model_weights" not in file:
            raise BundleError(f"{name} is not taken: it describes a network and holds no weights. "
                              "Save the whole model.")  # fmt: skip
    told = _json(name, "training_config", trained) if trained else {}
    labels, source = found_labels(beside, None)
    return Checkpoint(
        kind=WHOLE_H5 if config else WEIGHTS_ONLY,
        config=_json(name, "model_config", config) if config else None,
        keras_version=_version(version.decode(errors="replace") if version else None),
        loss=told.get("loss") if isinstance(told, Mapping) else None,
        weights=path, labels=labels, labels_from=source,
    )  # fmt: skip


def _attribute(file: Any, name: str, most: int) -> bytes | None:
    """A text beside the arrays; None where there is none."""
    if name not in file.attrs:
        return None
    handle = file.attrs.get_id(name)
    if handle.shape != () or handle.dtype.kind not in "SOU" or handle.dtype.itemsize > most:
        raise BundleError(f"{Path(file.filename).name} is not taken: its {name} is no text.")
    value = file.attrs[name]
    text = value.encode() if isinstance(value, str) else value
    if not isinstance(text, bytes) or len(text) > most:
        raise BundleError(f"{Path(file.filename).name} is not taken: its {name} is no text.")
    return text


def _version(value: Any) -> str:
    text = str(value or "")
    return text[:40] if text[:1].isdigit() and text.isprintable() else "unknown"


def _json(name: str, part: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BundleError(
            f"{name} is not taken: its {part} cannot be read ({str(error)[:100]}). Save the model "
            "again."
        ) from error


def _bytes_of(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise BundleError(f"{path.parent.name}/{path.name} has more than {most:,} bytes, which is "
                          "more than is read.")  # fmt: skip
    return content


def _content(name: str, reader: ZipReader, member: Member, most: int) -> bytes:
    if member.size_bytes > most:
        raise BundleError(f"{name}: {shown(member.name)} has {member.size_bytes:,} bytes; at most "
                          f"{most:,} are read.")  # fmt: skip
    try:
        return b"".join(reader.content(member))
    except MemberError as error:
        raise BundleError(f"{name}: {shown(member.name)} {error}.") from error


def _extracted(name: str, reader: ZipReader, member: Member, path: Path) -> Path:
    try:
        with path.open("xb") as file:
            for piece in reader.content(member):
                file.write(piece)
    except MemberError as error:
        raise BundleError(f"{name}: {shown(member.name)} {error}.") from error
    return path
