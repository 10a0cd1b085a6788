"""The Hugging Face Hub by its own client: what a repository holds, fetched, and hashed by us."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from huggingface_hub import HfApi, constants, get_token, hf_hub_download, snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
from huggingface_hub.utils.tqdm import tqdm

from leukemia_app.archives.safe_names import safe_name
from leukemia_app.bundles.gate import check_room
from leukemia_app.bundles.hub_words import hub_errors
from leukemia_app.errors import BundleError
from leukemia_app.hub_names import HubModel, short

ASK_S = 4.0
"""For one request; the client's own retries of a download take 23 s where there is no network."""
ANSWER_S = 8.0
"""For an answer in all: a name that is never resolved waits beyond the limit of a request."""
SLOWEST = 20_000
"""Bytes a second under which a download is given up; ten minutes are always granted."""
LEAST_S = 600.0
PIECE = 1 << 20

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Hub:
    """Where the Hub is, where its client keeps files, and who asks; None: as its variables say."""

    endpoint: str | None = None
    cache: Path | None = None
    token: str | bool | None = field(default=None, repr=False)
    """A visitor's own, or False for nobody's; None: HF_TOKEN, or who is logged in here."""

    @property
    def has_token(self) -> bool:
        """Whether one is known to the Hub by it."""
        return bool(self.token) if self.token is not None else get_token() is not None

    @property
    def api(self) -> HfApi:
        """The client."""
        return HfApi(endpoint=self.endpoint, token=self.token)

    def address(self, repo: str) -> str:
        """The repository's page."""
        return f"{self.api.endpoint}/{repo}"


THE_HUB = Hub()
"""As the client's own variables say."""


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file of a commit, as the Hub describes it before anything is fetched."""

    name: str
    size_bytes: int
    sha256: str | None
    """Of a large file; None for one that git itself keeps."""
    git_sha1: str | None

    def is_content(self, size_bytes: int, sha256: str, git_sha1: str) -> bool:
        """Whether that is what the Hub describes; what is not described by a hash is not."""
        if size_bytes != self.size_bytes:
            return False
        return sha256 == self.sha256 if self.sha256 is not None else git_sha1 == self.git_sha1


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a repository holds at one commit; files in folders are left out."""

    model: HubModel
    commit: str
    files: Mapping[str, RemoteFile]
    is_cached: bool = False
    """Whether it was found on this machine, without asking anybody."""

    def __str__(self) -> str:
        """Repository and commit in words."""
        return f"{self.model.repo}@{short(self.commit)}"


def listing(model: HubModel, hub: Hub) -> Listing:
    """What the Hub says the repository holds; one request, over within `ANSWER_S`.

    Raises:
        HubAwayError: it cannot be asked.
        BundleError: there is no such repository or revision, or it is not shown to who asks.
    """
    with hub_errors(model):
        info = within(ANSWER_S, lambda: hub.api.model_info(
            model.repo, revision=model.revision, timeout=ASK_S, files_metadata=True,
        ))  # fmt: skip
        if info.sha is None:
            raise ValueError("it names no commit")
        files = {
            each.rfilename: RemoteFile(
                name=each.rfilename, size_bytes=each.size or 0, git_sha1=each.blob_id,
                sha256=each.lfs.sha256 if each.lfs is not None else None,
            )
            for each in info.siblings or ()
            if _is_plain(each.rfilename)
        }  # fmt: skip
        return Listing(model=model, commit=info.sha, files=files)


def cached_listing(model: HubModel, hub: Hub, patterns: Sequence[str]) -> Listing | None:
    """What the client's cache holds of the revision, without a request; None where nothing.

    The cache calls a file by the hash that the Hub gave it: sha256, or git's own. Only files
    whose names fit `patterns` count.
    """
    try:
        folder = Path(snapshot_download(
            model.repo, revision=model.revision, cache_dir=hub.cache, local_files_only=True,
            allow_patterns=list(patterns),
        ))  # fmt: skip
        found = [_cached_file(path) for path in sorted(folder.iterdir())
                 if path.is_file() and _is_plain(path.name)]  # fmt: skip
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None
    if not found or any(file.sha256 is file.git_sha1 is None for file in found):
        return None  # a system without links calls no file by its hash
    files = {file.name: file for file in found}
    return Listing(model=model, commit=folder.name, files=files, is_cached=True)


def download(
    listed: Listing, names: Sequence[str], hub: Hub, told: Callable[[int], None]
) -> dict[str, Path]:
    """Where the client keeps these files, fetched where they are not there yet; not yet hashed.

    `told` hears how many bytes have come, from another thread.

    Raises:
        HubAwayError: the network or the Hub failed meanwhile.
        BundleError: a file is not as large as was said, or the disk is full.
    """
    if listed.is_cached:
        return {name: _cached_path(listed, name, hub) for name in names}
    files = [listed.files[name] for name in names]
    total = sum(file.size_bytes for file in files)
    count = _Counted(most=total, told=told)
    check_room(str(listed), total, _standing(hub.cache or Path(constants.HF_HUB_CACHE)))

    def fetch() -> dict[str, Path]:
        # The small ones first: where the large one is there, all are.
        found = {file.name: _fetched(listed, file, hub, count)
                 for file in sorted(files, key=lambda file: file.size_bytes)}  # fmt: skip
        if not listed.model.is_pinned:
            # So that the name is understood without a network, too.
            hub.api.resolve_revision(
                listed.model.repo, revision=listed.model.revision, cache_dir=hub.cache
            )
        return found

    with hub_errors(listed.model):
        try:
            return within(max(LEAST_S, total / SLOWEST), fetch)
        finally:
            count.is_over = True


def copy_checked(source: Path, target: Path, file: RemoteFile, where: str) -> None:
    """Copy a fetched file and hash the copy; a wrong one is forgotten by the client's cache too.

    Raises:
        BundleError: it is not what the Hub said it has.
    """
    sha256 = hashlib.sha256()
    git_sha1 = hashlib.sha1(usedforsecurity=False)
    size = source.stat().st_size
    git_sha1.update(f"blob {size}\0".encode())
    with source.open("rb") as read, target.open("xb") as write:
        while piece := read.read(PIECE):
            sha256.update(piece)
            git_sha1.update(piece)
            write.write(piece)
    if not file.is_content(size, sha256.hexdigest(), git_sha1.hexdigest()):
        target.unlink()
        blob = source.resolve()
        source.unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
        raise BundleError(
            f"{where}: {file.name} is not the file that the Hub describes ({size:,} bytes came, "
            f"sha256 {sha256.hexdigest()[:12]}…; {file.size_bytes:,} bytes and "
            f"{(file.sha256 or file.git_sha1 or 'no hash')[:12]} were announced). It was thrown "
            "away; pull it again."
        )


def within(seconds: float, call: Callable[[], Value]) -> Value:
    """What `call` gives, in a thread of its own.

    Raises:
        TimeoutError: it takes longer; it is left to end by itself.
    """
    answers: SimpleQueue[tuple[Value | None, Exception | None]] = SimpleQueue()

    def answer() -> None:
        try:
            answers.put((call(), None))
        except Exception as error:  # noqa: BLE001 raised again by the one who waits
            answers.put((None, error))

    threading.Thread(target=answer, daemon=True, name="hub").start()
    try:
        value, error = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"no answer within {seconds:.0f} s") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]  # None only beside an error, or where call gives it


class _Counted:
    """Bytes as they come, of all files together; ends a download that is no use any more."""

    def __init__(self, most: int, told: Callable[[int], None]) -> None:
        self.is_over = False
        self._most = most
        self._told = told
        self._before = 0

    def of_file(self, file: RemoteFile) -> type:
        """A progress bar for the client that draws nothing."""
        count, before = self, self._before
        self._before += file.size_bytes

        class Bar(tqdm):
            def __init__(self, *given: Any, **facts: Any) -> None:
                super().__init__(*given, **facts | {"disable": True})  # type: ignore[no-untyped-call]
                self._come = 0

            def update(self, n: float | None = 1) -> bool | None:
                self._come += int(n or 0)
                count.come(before, self._come, file)
                return None

            def update_transfer(self, n: float | None = 1) -> None:
                """Of Xet's two counts the other is ours."""

        return Bar

    def come(self, before: int, n_bytes: int, file: RemoteFile) -> None:
        """Tell how far it is; end it where more comes than was said, or nobody waits."""
        if self.is_over:
            raise TimeoutError("nobody waits for it any more")
        if n_bytes > file.size_bytes:
            raise BundleError(
                f"{file.name} is larger than the Hub says ({file.size_bytes:,} bytes), so it was "
                "not fetched."
            )
        self._told(min(self._most, before + n_bytes))


def _fetched(listed: Listing, file: RemoteFile, hub: Hub, count: _Counted) -> Path:
    return Path(hf_hub_download(
        listed.model.repo, file.name, revision=listed.commit, cache_dir=hub.cache,
        endpoint=hub.endpoint, token=hub.token, etag_timeout=ASK_S, tqdm_class=count.of_file(file),
    ))  # fmt: skip


def _cached_path(listed: Listing, name: str, hub: Hub) -> Path:
    return Path(hf_hub_download(
        listed.model.repo, name, revision=listed.commit, cache_dir=hub.cache, local_files_only=True
    ))  # fmt: skip


def _cached_file(path: Path) -> RemoteFile:
    size, blob = path.stat().st_size, path.resolve().name
    sha256 = blob if len(blob) == 64 else None
    git_sha1 = blob if len(blob) == 40 else None
    return RemoteFile(name=path.name, size_bytes=size, sha256=sha256, git_sha1=git_sha1)


def _standing(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())


def _is_plain(name: str) -> bool:
    return "/" not in name and safe_name(name) == name and not name.startswith(".")
