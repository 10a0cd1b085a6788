"""Whose a run is, and that nobody can guess it."""

import hashlib
import stat
import threading
from pathlib import Path

import pytest

from leukemia_app.errors import RunError
from leukemia_app.training.owners import (
    may_see_commands,
    new_secret,
    owner_of_login,
    owner_of_token,
    server_secret,
)


def test_a_browser_is_known_by_the_hash_of_its_secret():
    secret = new_secret()
    assert owner_of_token(secret) == f"token:{hashlib.sha256(secret.encode()).hexdigest()}"
    assert secret not in owner_of_token(secret)
    assert new_secret() != secret


@pytest.mark.parametrize("secret", ["", "guess", "x" * 31])
def test_a_secret_that_can_be_guessed_is_none(secret):
    with pytest.raises(RunError, match="no key to its runs; reload the page"):
        owner_of_token(secret)


def test_a_login_is_not_a_token():
    assert owner_of_login("ada") == "login:ada"
    with pytest.raises(RunError, match="Nobody is logged in"):
        owner_of_login("")


def test_the_server_s_secret_outlives_a_restart(tmp_path):
    first = server_secret(tmp_path / "state")
    assert len(first) > 32
    assert server_secret(tmp_path / "state") == first
    mode = (tmp_path / "state" / "browser.secret").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_two_servers_that_start_at_once_share_one_secret(tmp_path):
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(server_secret(tmp_path))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_draft_that_a_crash_left_is_no_secret(tmp_path):
    (tmp_path / "browser.part").write_text("half")
    assert "half" not in server_secret(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "browser.secret").mkdir()
    with pytest.raises(RunError, match=r"browser.secret cannot be written .*Give leave to write"):
        server_secret(tmp_path)


HERE = {"host": "localhost:7860"}


@pytest.mark.parametrize("listens_on", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1:7860", "[::1]:7860", "localhost"])
def test_who_sits_at_a_laptop_sees_what_the_command_line_began(listens_on, host):
    assert may_see_commands(listens_on, None, {"Host": host}, "127.0.0.1")


@pytest.mark.parametrize("listens_on", ["0.0.0.0", "::", "192.168.1.7", "example.org", ""])  # noqa: S104
def test_a_server_that_others_reach_shows_nothing_of_the_command_line(listens_on):
    assert not may_see_commands(listens_on, None, HERE, "127.0.0.1")


def test_where_one_logs_in_the_command_line_is_nobody_s():
    assert not may_see_commands("127.0.0.1", "ada", HERE, "127.0.0.1")


@pytest.mark.parametrize(
    ("headers", "client"),
    [(HERE | {"X-Forwarded-For": "10.0.0.9"}, "127.0.0.1"),
     (HERE | {"forwarded": "for=10.0.0.9"}, "127.0.0.1"),
     ({"host": "smears.example.org"}, "127.0.0.1"), ({"host": "localhost.evil.org"}, "127.0.0.1"),
     ({}, "127.0.0.1"), (HERE, "10.0.0.9"), (HERE, None)],
)  # fmt: skip
def test_a_visitor_whom_a_proxy_brings_does_not_sit_at_the_machine(headers, client):
    assert not may_see_commands("127.0.0.1", None, headers, client)
