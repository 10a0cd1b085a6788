"""A data set of the Hub on this machine: the routes that its client asks, and what was fetched."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REPO = "ada/smears"
COMMIT = "c0ffee" * 6 + "c0ff"
LISTING = f"/api/datasets/{REPO}/tree/{COMMIT}"
FILES = f"/datasets/{REPO}/resolve/{COMMIT}/"


class Loopback(ThreadingHTTPServer):
    """Serves files as the data set `REPO`, whose branch `main` is at `COMMIT`."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files = {".gitattributes": b"*.png -text\n", **files}
        self.fetched: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def listing(self) -> list[dict[str, object]]:
        return [
            {"type": "file", "path": name, "size": len(content), "oid": digest(content)}
            for name, content in self.files.items()
        ]


class Answer(BaseHTTPRequestHandler):
    """One request's answer."""

    server: Loopback

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        name = path.removeprefix(FILES)
        if path == f"/api/datasets/{REPO}/revision/main":
            self.send(200, json.dumps({"id": REPO, "sha": COMMIT}).encode())
        elif path == LISTING:
            self.send(200, json.dumps(self.server.listing()).encode())
        elif name in self.server.files:
            if self.command == "GET":
                self.server.fetched.append(name)
            content = self.server.files[name]
            self.send(200, content, ETag=f'"{digest(content)}"')
        else:
            self.send(404, b"", **{"X-Error-Code": "RepoNotFound"})

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        headers |= {"X-Repo-Commit": COMMIT, "Content-Length": str(len(body))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def digest(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[Loopback]:
    """The data set until the block ends."""
    with Loopback(files) as hub:
        threading.Thread(target=hub.serve_forever, args=(0.01,)).start()
        yield hub
        hub.shutdown()
