"""The server behind the page: what it gives away, what it keeps, how it starts and stops."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.browser.conftest import CHROMIUM, MAX_MODEL_MB, Visit
from tests.browser.server import Server, running


def status_of(server: Server, path: str, data: bytes | None = None, **headers: str) -> int:
    request = urllib.request.Request(server.url + path, data=data, headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("path", ["monitoring", "gradio_api/runs", "gradio_api/file=/etc/passwd",
                                  "gradio_api/file=app.py"])  # fmt: skip
def test_nothing_is_given_away(server: Server, path: str):
    assert status_of(server, path) in (403, 404, 405)


def test_the_server_refuses_a_large_upload_whatever_the_page_says(server: Server):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        + b"0" * (MAX_MODEL_MB * 1_100_000)
        + b"\r\n--x--\r\n"
    )
    found = status_of(server, "gradio_api/upload", body,
                      **{"Content-Type": "multipart/form-data; boundary=x"})  # fmt: skip
    assert found == 413


def test_the_browser_keeps_no_record_of_pictures(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["field"])
    kept = visit.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "field" not in json.dumps(kept)


def test_the_log_names_no_picture(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["field"], pictures["notes"])
    assert "field.jpg" not in visit.server.said()
    assert "notes.jpg" not in visit.server.said()


def test_uploads_lie_in_a_private_folder(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["field"])
    found = list(visit.server.temporary.glob("leukemia-app-uploads-*/**/field.jpg"))
    assert len(found) == 1


def test_stopping_the_server_deletes_all_uploads(environment, pictures, tmp_path: Path):
    if CHROMIUM is None:
        pytest.skip("needs the app, which the browser tests start")
    with running(tmp_path, environment) as server:
        (folder,) = server.temporary.glob("leukemia-app-uploads-*")
        (folder / "left.jpg").write_bytes(b"x")
    assert server.process.returncode is not None
    assert not folder.exists()


def test_the_page_does_without_tensorflow_and_keras(server: Server):
    maps = Path(f"/proc/{server.process.pid}/maps")
    if not maps.exists():
        pytest.skip("needs /proc to see what a process has loaded")
    loaded = maps.read_text()
    assert "tensorflow" not in loaded
    assert "h5py" not in loaded
    assert "_pywrap_litert" in loaded or "litert" in loaded, "the model was warmed up"
