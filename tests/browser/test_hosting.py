"""Where others host it: as a Space starts it, and behind a real nginx under a prefix."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from leukemia_app.ui import text
from leukemia_app.ui.train_text import TRAIN
from tests.browser.conftest import DESKTOP, checked, watched
from tests.browser.server import running

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONFIG = """
{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location = /favicon.ico {{ return 204; }}
    location /smear/ {{
      proxy_pass {behind}; proxy_http_version 1.1; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering off; proxy_read_timeout 3600s; client_max_body_size 50m;
    }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def nginx(folder: Path, behind: str) -> Iterator[str]:
    """A real nginx with the location of docs/hosting.md; gives the page's address in it."""
    port = free_port()
    config = folder / "nginx.conf"
    # Started by root, its workers are nobody's, who may not write here.
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(CONFIG.format(folder=folder, port=port, behind=behind, user=user))
    process = subprocess.Popen([str(NGINX), "-c", str(config), "-e", str(folder / "error.log")])
    address = f"http://127.0.0.1:{port}/smear/"
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(address, timeout=2):
                    break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt-get install nginx-light")
def test_behind_nginx_under_a_prefix_everything_answers(
    chromium, environment: dict[str, str], pictures: dict[str, Path], tmp_path: Path
):
    settings = environment | {"GRADIO_ROOT_PATH": "/smear"}
    with running(tmp_path, settings) as behind, nginx(tmp_path, behind.url) as address:
        visit = watched(chromium, replace(behind, url=address), **DESKTOP)
        visit.open()
        visit.give(pictures["field"])
        visit.page.locator("#answer .s-decision").wait_for()
        with visit.page.expect_download() as download:
            visit.page.get_by_role("button", name="JSON").click()
        assert download.value.suggested_filename.endswith(".json")
        visit.page.get_by_role("tab", name=TRAIN).click()
        visit.page.locator("[data-take]").wait_for()
        checked(visit)


def test_as_a_space_starts_it_the_page_answers_and_says_what_will_not_last(
    chromium, environment: dict[str, str], pictures: dict[str, Path], tmp_path: Path
):
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: each for name, each in environment.items() if name != "LEUKEMIA_STATE_DIR"}
    settings = kept | {
        "SPACE_ID": "ada/reader", "SPACE_HOST": "ada-reader.hf.space", "SYSTEM": "spaces",
        "SPACE_AUTHOR_NAME": "ada", "SPACE_REPO_NAME": "reader", "ACCELERATOR": "none",
        "CPU_CORES": "2", "MEMORY": "16Gi", "HOME": str(home), "XDG_CONFIG_HOME": "",
        "XDG_CACHE_HOME": "",
    }  # fmt: skip
    with running(tmp_path, settings) as server:
        visit = watched(chromium, server, **DESKTOP)
        visit.open()
        visit.give(pictures["field"])
        visit.page.locator("#answer .s-decision").wait_for()
        visit.page.get_by_role("tab", name=text.MODELS).click()
        visit.page.get_by_text(text.NOT_KEPT[:60]).first.wait_for()
        # Not checked for requests: on a Space, Gradio itself asks the Hub for the Space's own bar.
        visit.page.context.close()
    # Gradio imports matplotlib where a developer has it, which keeps its list of fonts.
    written = [path for path in home.rglob("*") if path.is_file()]
    assert [path for path in written if "matplotlib" not in path.parts] == []


def test_a_space_with_a_volume_keeps_what_is_made(
    chromium, environment: dict[str, str], tmp_path: Path
):
    volume = tmp_path / "volume"
    settings = environment | {"SPACE_ID": "ada/reader", "LEUKEMIA_STATE_DIR": str(volume)}
    with running(tmp_path, settings) as server:
        visit = watched(chromium, server, **DESKTOP)
        visit.open()
        visit.page.get_by_role("tab", name=text.MODELS).click()
        visit.page.locator("#tab-models, #models").first.wait_for()
        assert visit.page.get_by_text(text.NOT_KEPT[:60]).count() == 0
        checked(visit)
