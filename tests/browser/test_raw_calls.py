"""What a program may call without the page: nothing but what the page allows, whatever it sends."""

import contextlib
import http.client
import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.browser.server import Server, running

WAIT_S = 60
INSIDE = "ten thousand blasts"
ODD: tuple[Any, ...] = (
    None, [], {}, "x" * 10_000, [[["a"]]], {"files": "x"}, {"files": [[1, 2]]},
    {"files": [None]}, {"what": 7, "value": {}, "models": [1, {}], "files": [["a", "../../etc"]]},
    {"what": "give", "files": [["a/b.png", "/proc/self/environ"]], "n": -1, "mode": []},
)  # fmt: skip


@pytest.fixture(scope="module")
def open_server(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of its own: what breaks here breaks no other test."""
    folder = tmp_path_factory.mktemp("raw")
    with running(folder, environment | {"LEUKEMIA_STATE_DIR": str(folder / "state")}) as server:
        yield server


def config(server: Server) -> dict[str, Any]:
    with urllib.request.urlopen(server.url + "config", timeout=30) as answer:  # noqa: S310
        return dict(json.load(answer))


def event(server: Server, name: str, owner: str) -> int:
    """The number of the event of that name on the component with that element id."""
    page = config(server)
    (component,) = [each["id"] for each in page["components"]
                    if each["props"].get("elem_id") == owner]  # fmt: skip
    for each in page["dependencies"]:
        if [component, name] in [list(target) for target in each["targets"]]:
            return int(each["id"])
    raise AssertionError(f"the page has no event {name} on {owner}")


def call(server: Server, number: int, inputs: int, given: Any) -> str:
    """Everything that the server sends back of one event, as text; its refusal of the call too."""
    session = uuid.uuid4().hex
    body = json.dumps({"data": [None] * inputs, "event_data": given, "fn_index": number,
                       "session_hash": session, "trigger_id": None}).encode()  # fmt: skip
    request = urllib.request.Request(  # noqa: S310
        server.url + "gradio_api/queue/join", body, {"Content-Type": "application/json"}
    )
    try:
        urllib.request.urlopen(request, timeout=WAIT_S).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        return f"refused: {error.code}"
    told = ""
    address = f"{server.url}gradio_api/queue/data?session_hash={session}"
    with contextlib.suppress(TimeoutError), urllib.request.urlopen(  # noqa: S310
        address, timeout=WAIT_S
    ) as events:  # fmt: skip
        for line in events:
            told += line.decode("utf-8", "replace")
            if '"process_completed"' in told or '"unexpected_error"' in told:
                break
    return told


@pytest.mark.parametrize(
    ("owner", "name", "given"),
    [
        ("drop", "give", lambda path: {"files": [{"name": "a.png", "path": path}], "n": 1}),
        ("b-hub", "ask", lambda path: {"what": "give", "files": [["a.png", path]]}),
        ("b-hub", "ask", lambda path: {"what": "give", "files": [["set/a/b.png", path]]}),
        ("t-hub", "ask", lambda path: {"what": "give", "owner": "k" * 43,
                                       "files": [["set/a/b.png", path]]}),
    ],
)  # fmt: skip
def test_no_file_of_the_machine_is_read(
    open_server: Server, tmp_path: Path, owner: str, name: str, given: Any
):
    secret = tmp_path / "secret.png"
    secret.write_text(INSIDE)
    for path in (str(secret), "/etc/passwd", "../../../../etc/passwd",
                 str(open_server.temporary / ".." / "server.log")):  # fmt: skip
        told = call(open_server, event(open_server, name, owner), 1, given(path))
        # Gradio refuses what it takes for a file of its own; the handlers refuse the others.
        said = ("did not reach the server", "is not in the cache folder and cannot be accessed")
        assert any(words in told for words in said), told[-600:]
        assert INSIDE not in told
        assert "root:" not in told


def test_another_visitors_runs_are_not_shown(open_server: Server):
    number = event(open_server, "ask", "t-hub")
    for asked in ("open-run", "report", "bundle", "act"):
        told = call(open_server, number, 0, {
            "what": asked, "owner": "k" * 43, "run": "../../runs/x", "value": "../x",
            "data": "../../etc", "fields": {},
        })  # fmt: skip
        assert "Traceback" not in told
        assert "server.log" not in told


def answer(
    server: Server, path: str, body: bytes | Iterator[bytes], kind: str = "application/json"
) -> tuple[int, str]:
    """Status and text that the server answers to a body; pieces are sent without their length."""
    connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=WAIT_S)
    try:
        connection.request("POST", path, body, {"Content-Type": kind})
        got = connection.getresponse()
        return got.status, got.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["queue/join", "component_server", "process_recording", "none"])
def test_a_long_request_is_refused_before_it_is_read(open_server: Server, path: str):
    at = f"/gradio_api/{path}"
    status, said = answer(open_server, at, b'{"data":[' + b"[]," * 3_000_000 + b"[]]}")
    assert (status, "may hold 8 MB" in said) == (413, True)
    status, said = answer(open_server, at, iter([b'{"data":', b"[]}"]))
    assert (status, "must say how long" in said) == (411, True)


@pytest.mark.parametrize(("length", "status"), [(60_000, 200), (70_000, 413)])
def test_a_field_beside_the_uploaded_files_is_short(open_server: Server, length: int, status: int):
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"a" * length
    body += b'\r\n--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    kind = "multipart/form-data; boundary=x"
    for sent in (body + b"b\r\n--x--\r\n", iter([body, b"b\r\n--x--\r\n"])):
        assert answer(open_server, "/gradio_api/upload", sent, kind)[0] == status


def events_of(page: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Number and count of inputs of each event that computes on the server."""
    return [(int(each["id"]), len(each["inputs"])) for each in page["dependencies"]
            if each.get("backend_fn", True)]  # fmt: skip


def test_malformed_calls_of_every_event_cost_only_themselves(open_server: Server):
    every = events_of(config(open_server))
    assert len(every) >= 10
    for at, (number, inputs) in enumerate(every):
        for odd in (ODD[at % len(ODD)], ODD[(3 * at + 1) % len(ODD)]):
            call(open_server, number, inputs, odd)
        call(open_server, number, inputs + 3, None)
    call(open_server, 10_000, 1, {})
    assert open_server.process.poll() is None
    told = call(open_server, event(open_server, "example", "gallery"), 1, {"value": "nobody"})
    assert "process_completed" in told
