"""A small Hub on this machine: the routes that its client asks for models, and every way to fail.

Used as `python -m tests.hub_server FOLDER PORT` it serves each folder of FOLDER/owner as a model.
"""

import base64
import hashlib
import json
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

SMALL = 1000
"""Files of fewer bytes are git's own; larger ones are kept by their sha256."""
TOKEN = "hf_good"  # noqa: S105 of a Hub that exists in tests only


@dataclass(kw_only=True)
class Model:
    """One repository: its commits, the newest last, and what is wrong with it."""

    commits: list[dict[str, bytes]] = field(default_factory=list)
    is_private: bool = False
    status: int = 0
    """Answered to everything, unless 0."""
    error: str = ""
    """Header X-Error-Code beside it."""
    delay_s: float = 0
    cut: Mapping[str, int] = field(default_factory=dict)
    """After how many bytes a file's body breaks off."""
    wrong: Mapping[str, bytes] = field(default_factory=dict)
    """What comes instead of a file."""
    claims: Mapping[str, int] = field(default_factory=dict)
    """What the listing says a file's size is."""

    @property
    def files(self) -> dict[str, bytes]:
        return self.commits[-1]

    def commit_of(self, revision: str) -> str | None:
        names = [commit_id(files) for files in self.commits]
        if revision == "main":
            return names[-1] if names else "0" * 40
        return revision if revision in names else None

    def at(self, commit: str) -> dict[str, bytes]:
        return next((each for each in self.commits if commit_id(each) == commit), {})


class HubServer(ThreadingHTTPServer):
    """Serves `models`, by owner/name."""

    daemon_threads = True

    def __init__(self, models: Mapping[str, Model], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Answer)
        self.models = dict(models)
        self.is_closed = False
        self.asked: list[str] = []
        """Method and path of every request."""
        self.stored: dict[str, bytes] = {}
        """Large files that were sent, by sha256."""
        self.url = f"http://127.0.0.1:{self.server_port}"

    def fetched(self) -> list[str]:
        """Names of the files that were fetched."""
        return [line.rpartition("/")[2] for line in self.asked if line.startswith("GET /")
                and "/resolve/" in line]  # fmt: skip

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that go away are tested."""


class Answer(BaseHTTPRequestHandler):
    """One request's answer."""

    server: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.note()
        path = unquote(self.path.partition("?")[0])
        if path == "/api/whoami-v2":
            return self.send_json({"name": "ada", "type": "user"})
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            return self.listing(found[1], found[2] or "main")
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self.file(found[1], found[2], found[3])
        return self.fail(404, "RepoNotFound")

    def do_POST(self) -> None:
        self.note()
        body = self.body()
        path = unquote(self.path.partition("?")[0])
        if path == "/api/validate-yaml":
            return self.send_json({"errors": [], "warnings": []})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.fail(401, "", "Invalid credentials in Authorization header")
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/preupload/main", path):
            return self.preupload(found[1], json.loads(body))
        if found := re.fullmatch(r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch", path):
            return self.batch(json.loads(body))
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/main", path):
            return self.commit(found[1], body)
        return self.fail(404, "RepoNotFound")

    def do_PUT(self) -> None:
        self.note()
        self.server.stored[self.path.rpartition("/")[2]] = self.body()
        self.send(200, b"")

    # ---- reading

    def model(self, repo: str) -> Model | None:
        """The repository, if it answers; else the request is answered."""
        model = self.server.models.get(repo)
        if model is None:
            self.fail(404, "RepoNotFound")
            return None
        time.sleep(model.delay_s)
        if model.status:
            self.fail(model.status, model.error)
            return None
        if model.is_private and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.fail(401, "RepoNotFound")
            return None
        return model

    def listing(self, repo: str, revision: str) -> None:
        if (model := self.model(repo)) is None:
            return None
        if (commit := model.commit_of(revision)) is None:
            return self.fail(404, "RevisionNotFound")
        files = [sibling(name, content, model.claims.get(name))
                 for name, content in model.at(commit).items()]  # fmt: skip
        return self.send_json({"id": repo, "sha": commit, "siblings": files})

    def file(self, repo: str, revision: str, name: str) -> None:
        if (model := self.model(repo)) is None:
            return None
        commit = model.commit_of(revision)
        content = model.at(commit).get(name) if commit else None
        if content is None:
            return self.fail(404, "EntryNotFound")
        told = sibling(name, content, None)
        etag = told["lfs"]["sha256"] if "lfs" in told else told["blobId"]
        size = len(content)
        body = model.wrong.get(name, content)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{etag}"', "X-Linked-Etag": f'"{etag}"',
                   "X-Linked-Size": str(size)}  # fmt: skip
        return self.send(200, body, cut=model.cut.get(name), **headers)

    # ---- writing

    def create(self, asked: Mapping[str, Any]) -> None:
        owner = asked.get("organization") or "ada"
        repo = f"{owner}/{asked['name']}"
        if repo in self.server.models:
            return self.fail(409, "")
        if owner != "ada":
            return self.fail(403, "", "You don't have the rights to create a model there")
        private = asked.get("private") or asked.get("visibility") == "private"
        self.server.models[repo] = Model(commits=[{".gitattributes": b"*.h5 filter=lfs\n"}],
                                         is_private=bool(private))  # fmt: skip
        return self.send_json({"url": f"{self.server.url}/{repo}", "id": repo, "name": repo})

    def preupload(self, repo: str, asked: Mapping[str, Any]) -> None:
        if self.model(repo) is None:
            return None
        files = [{"path": each["path"], "shouldIgnore": False,
                  "uploadMode": "regular" if each["size"] < SMALL else "lfs"}
                 for each in asked["files"]]  # fmt: skip
        return self.send_json({"files": files})

    def batch(self, asked: Mapping[str, Any]) -> None:
        url = f"{self.server.url}/lfs"
        objects = [
            {"oid": each["oid"], "size": each["size"], "authenticated": True,
             "actions": {"upload": {"href": f"{url}/{each['oid']}", "header": {}}}}
            for each in asked["objects"]
        ]  # fmt: skip
        return self.send_json({"transfer": "basic", "objects": objects})

    def commit(self, repo: str, body: bytes) -> None:
        if (model := self.model(repo)) is None:
            return None
        files = dict(model.commits[-1])
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                parent = value.get("parentCommit")
                if parent not in (None, model.commit_of("main")):
                    return self.fail(412, "", "A commit has happened since")
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.server.stored[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        model.commits.append(files)
        oid = commit_id(files)
        return self.send_json({"success": True, "commitOid": oid,
                               "commitUrl": f"{self.server.url}/{repo}/commit/{oid}"})  # fmt: skip

    # ---- how it is said

    def note(self) -> None:
        if self.server.is_closed:  # a client keeps its connections, and asks by them
            raise ConnectionAbortedError
        self.server.asked.append(f"{self.command} {self.path.partition('?')[0]}")

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            found = b""
            while size := int(self.rfile.readline(), 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def fail(self, status: int, code: str, words: str = "") -> None:
        self.send(status, b"", **({"X-Error-Code": code} if code else {}),
                  **({"X-Error-Message": words} if words else {}))  # fmt: skip

    def send_json(self, values: object) -> None:
        self.send(200, json.dumps(values).encode(), **{"Content-Type": "application/json"})

    def send(self, status: int, body: bytes, *, cut: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        with suppress(OSError):
            self.wfile.write(body[:cut])
            if cut is not None:
                self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def sibling(name: str, content: bytes, claim: int | None) -> dict[str, Any]:
    """A file as the Hub lists it."""
    size = len(content) if claim is None else claim
    told: dict[str, Any] = {"rfilename": name, "size": size, "blobId": git_sha1(content)}
    if len(content) >= SMALL:
        told["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": size,
                       "pointerSize": 130}  # fmt: skip
    return told


def git_sha1(content: bytes) -> str:
    head = f"blob {len(content)}\0".encode()
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


def commit_id(files: Mapping[str, bytes]) -> str:
    told = json.dumps({name: git_sha1(content) for name, content in sorted(files.items())})
    return hashlib.sha1(told.encode(), usedforsecurity=False).hexdigest()


@contextmanager
def serving_models(models: Mapping[str, Model]) -> Iterator[HubServer]:
    """The Hub until the block ends."""
    with HubServer(models) as hub:
        threading.Thread(target=hub.serve_forever, args=(0.01,), daemon=True).start()
        yield hub
        hub.is_closed = True
        hub.shutdown()


def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client as `settings.QUIET` has it, which comes too late where it is imported already.

    It speaks plain HTTP, and says nothing on its own.
    """
    import huggingface_hub.utils  # noqa: F401 so that its modules are there

    bars = sys.modules["huggingface_hub.utils.tqdm"]
    monkeypatch.setattr(bars, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    for name in ("TELEMETRY", "PROGRESS_BARS", "XET"):
        monkeypatch.setattr(f"huggingface_hub.constants.HF_HUB_DISABLE_{name}", True)


def files_of(folder: Path) -> dict[str, bytes]:
    """A folder's files as a commit."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


if __name__ == "__main__":
    root = Path(sys.argv[1])
    HubServer(
        {f"{path.parent.name}/{path.name}": Model(commits=[files_of(path)])
         for path in root.glob("*/*")},
        int(sys.argv[2]),
    ).serve_forever()  # fmt: skip
