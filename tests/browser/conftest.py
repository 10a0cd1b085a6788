"""One app and one browser for all tests; a fresh page for each, watched while it is used."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukemia_app.imaging.render import draw
from tests.browser.server import ROOT, Server, running

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
MAX_FILE_MB = 2
MAX_ZIP_MB = 3
MAX_MODEL_MB = 40
"""The largest of the limits: what is over it does not even reach the app."""
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True,
    "has_touch": True,
}  # fmt: skip
RESULTS = ROOT / "test-results"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call" and report.failed and "visit" in getattr(item, "funcargs", {}):
        visit = item.funcargs["visit"]
        RESULTS.mkdir(exist_ok=True)
        picture = RESULTS / f"{item.name.replace('/', '-')}.png"
        visit.page.screenshot(path=picture, full_page=True)
        report.sections.append(("screenshot", str(picture)))
        report.sections.append(("server log", visit.server.said()[-4000:]))
    return report


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings for the app and for the command line alike."""
    settings = {
        "LEUKEMIA_STATE_DIR": str(tmp_path_factory.mktemp("state")),
        "LEUKEMIA_MAX_FILE_MB": str(MAX_FILE_MB),
        "LEUKEMIA_ZIP_MB": str(MAX_ZIP_MB),
        "LEUKEMIA_MODEL_MB": str(MAX_MODEL_MB),
        "LEUKEMIA_DEVICE": "cpu",
    }
    if not any((ROOT / "models").glob("*/bundle.json")):
        folder = tmp_path_factory.mktemp("models")
        subprocess.run(
            [sys.executable, "-m", "tests.browser.small_models", str(folder)],
            cwd=ROOT, check=True, capture_output=True, timeout=300,
            env=os.environ | {"KERAS_BACKEND": "tensorflow"},
        )  # fmt: skip
        settings["LEUKEMIA_MODELS"] = str(folder)
    return settings


@pytest.fixture(scope="session")
def server(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with running(tmp_path_factory.mktemp("server"), environment) as started:
        yield started


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass(kw_only=True)
class Visit:
    """One page in a browser of its own, and what happened in it that must not."""

    page: "playwright.Page"
    server: Server
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, query: str = "") -> None:
        """Load the page and wait until its events are connected."""
        self.page.goto(self.server.url + query)
        self.page.wait_for_function("document.documentElement.dataset.connected === '6'")

    def give(self, *paths: Path) -> None:
        """Choose files, and wait for what the page makes of them."""
        self.page.locator("input[type=file]").set_input_files(list(paths))
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is being read."""
        self.page.wait_for_function("!document.documentElement.classList.contains('s-busy')")


def watched(browser: "playwright.Browser", server: Server, **context: object) -> Visit:
    page = browser.new_context(accept_downloads=True, **context).new_page()
    page.set_default_timeout(30_000)
    visit = Visit(page=page, server=server)

    def said(message: "playwright.ConsoleMessage") -> None:
        if message.type == "error":
            visit.errors.append(message.text)

    def asked(request: "playwright.Request") -> None:
        if not request.url.startswith((server.url, "data:", "blob:")):
            visit.outside.append(request.url)

    page.on("console", said)
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on("request", asked)
    return visit


def checked(visit: Visit) -> None:
    visit.page.context.close()
    assert not visit.errors, "the page wrote errors to its console"
    assert not visit.outside, "the page asked other machines"


@pytest.fixture
def visit(chromium: "playwright.Browser", server: Server) -> Iterator[Visit]:
    """The page at 1280 x 800, opened."""
    found = watched(chromium, server, **DESKTOP)
    found.open()
    yield found
    checked(found)


@pytest.fixture(params=["desktop", "phone"])
def either_visit(
    request: pytest.FixtureRequest, chromium: "playwright.Browser", server: Server
) -> Iterator[Visit]:
    """The page opened at 1280 x 800, and once more at 390 x 844."""
    found = watched(chromium, server, **(DESKTOP if request.param == "desktop" else PHONE))
    found.open()
    yield found
    checked(found)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same drawn field as JPEG, BMP, 16-bit TIFF, on its side, and others; by what they are."""
    folder = tmp_path_factory.mktemp("pictures")
    pixels = draw("Pro", 3, side_px=280, rows_px=200).pixels
    image = Image.fromarray(np.array(pixels))
    image.save(folder / "field.jpg", quality=95)
    image.save(folder / "field.bmp")
    grey = np.asarray(image.convert("L")).astype(np.uint16) * 180 + 4000
    Image.fromarray(grey).save(folder / "deep.tif")
    turned = Image.Exif()
    turned[0x0112] = 6
    image.save(folder / "turned.jpg", quality=95, exif=turned)
    (folder / "notes.jpg").write_text("Notes, not a picture.\n" * 20)
    (folder / "big.png").write_bytes(_png_of(MAX_FILE_MB * 1_000_000 + 1))
    for seed in range(3):
        field = draw(("Benign", "Early", "Pre")[seed], seed, side_px=224)
        Image.fromarray(np.array(field.pixels)).save(folder / f"frame-{seed}.png")
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix != ".bmp"} | {
        "bmp": folder / "field.bmp"
    }


def _png_of(size: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    return file.getvalue().ljust(size, b"\0")


@pytest.fixture(scope="session")
def command_line(
    environment: dict[str, str], pictures: dict[str, Path]
) -> dict[str, dict[str, object]]:
    """What the command line says of the same files, by file name, with the page's first model."""
    files = [str(path) for path in pictures.values() if path.stem not in ("notes", "big")]
    own = {name: value for name, value in os.environ.items() if not name.startswith("LEUKEMIA_")}
    done = subprocess.run(
        [sys.executable, "-m", "leukemia_app", "classify", *files, "--json"],
        cwd=ROOT, env=own | environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return {Path(each["file"]).name: each for each in json.loads(done.stdout)}
