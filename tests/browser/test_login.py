"""Logins: without one the page and its ways in are closed, and each sees its own runs alone."""

import http.cookiejar
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest

from tests.browser.server import Server, running
from tests.tiny_runs import tiny_config

PASSWORDS = {"ada": "the rain in:Spain", "bob": "stays-mainly"}
SECRET_PLACES = ("config", "gradio_api/info", "gradio_api/queue/data?session_hash=x",
                 "gradio_api/file=/etc/hostname")  # fmt: skip


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with two logins; each has begun one run that waits."""
    folder = tmp_path_factory.mktemp("guarded")
    state = folder / "state"
    for owner in PASSWORDS:
        run = state / "runs" / f"run-of-{owner}"
        run.mkdir(parents=True)
        config = tiny_config(folder, id=run.name).to_dict()
        for name, values in (("config", config), ("owner", {"owner": f"login:{owner}"}),
                             ("status", {"state": "stopped", "time": time.time()})):  # fmt: skip
            (run / f"{name}.json").write_text(json.dumps(values), encoding="utf-8")
    pairs = ",".join(f"{name}:{password}" for name, password in PASSWORDS.items())
    with running(folder, {"LEUKEMIA_STATE_DIR": str(state), "LEUKEMIA_AUTH": pairs,
                          "LEUKEMIA_DEVICE": "cpu"}) as server:  # fmt: skip
        yield server
        said = server.said()
    assert not [password for password in PASSWORDS.values() if password in said]


def opener() -> urllib.request.OpenerDirector:
    """A visitor without a browser, who keeps cookies."""
    return urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )


def status(visitor: urllib.request.OpenerDirector, address: str, data: bytes | None = None,
           kind: str = "application/x-www-form-urlencoded") -> int:  # fmt: skip
    request = urllib.request.Request(address, data, {"Content-Type": kind})  # noqa: S310
    try:
        with visitor.open(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def log_in(visitor: urllib.request.OpenerDirector, server: Server, name: str, secret: str) -> int:
    form = urllib.parse.urlencode({"username": name, "password": secret}).encode()
    return status(visitor, f"{server.url}login", form)


def upload(visitor: urllib.request.OpenerDirector, server: Server) -> int:
    body = (b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
            b"hello\r\n--x--\r\n")  # fmt: skip
    return status(visitor, f"{server.url}gradio_api/upload", body,
                  "multipart/form-data; boundary=x")  # fmt: skip


@pytest.mark.parametrize("place", SECRET_PLACES)
def test_without_a_login_every_way_is_closed(guarded: Server, place: str):
    assert status(opener(), guarded.url + place) == 401


def test_without_a_login_nothing_can_be_sent(guarded: Server):
    assert upload(opener(), guarded) == 401
    body = json.dumps({"data": [], "fn_index": 0, "session_hash": "x"}).encode()
    join = f"{guarded.url}gradio_api/queue/join"
    assert status(opener(), join, body, "application/json") == 401


@pytest.mark.parametrize(("name", "secret"), [("ada", "wrong"), ("eve", "x"), ("ada", "")])
def test_a_wrong_password_opens_nothing(guarded: Server, name: str, secret: str):
    visitor = opener()
    assert log_in(visitor, guarded, name, secret) in (400, 422)
    assert status(visitor, f"{guarded.url}config") == 401


def test_a_login_opens_the_ways(guarded: Server):
    visitor = opener()
    assert log_in(visitor, guarded, "ada", PASSWORDS["ada"]) == 200
    assert status(visitor, f"{guarded.url}config") == 200
    assert upload(visitor, guarded) == 200


@pytest.mark.parametrize(("name", "other"), [("ada", "bob"), ("bob", "ada")])
def test_each_login_sees_its_own_runs_alone(guarded: Server, chromium, name: str, other: str):
    page = chromium.new_page()
    page.goto(guarded.url)
    page.locator("input").first.fill(name)
    page.locator("input[type=password]").fill(PASSWORDS[name])
    page.get_by_role("button", name="Login").click()
    page.get_by_role("tab", name="Train").click()
    aside = page.locator("#t-side")
    aside.get_by_text(f"run-of-{name}").first.wait_for(timeout=30_000)
    assert f"run-of-{other}" not in page.content()
    page.close()
