"""Every command as a person runs it: what it prints, what it writes, how it ends."""

import csv
import io
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from leukemia_app import cli, cli_models, cli_output
from leukemia_app.bundles.spec import Figure
from leukemia_app.cli_pictures import exit_code
from leukemia_app.errors import SettingError
from leukemia_app.evaluation import words

ROOT = Path(__file__).resolve().parents[1]
FIGURES = (
    Figure(name="macro-F1", value=0.91, low=0.88, high=0.93, part="test", n=500, n_groups=20,
           group_level="run"),
    Figure(name="macro-F1", value=0.7, low=0.6, high=0.8, part="test", n=500, n_groups=20,
           group_level="run", kind="control", note="colour only"),
    Figure(name="macro-F1", value=0.5, low=0.4, high=0.6, part="test", n=500, n_groups=20,
           group_level="run", kind="robustness", note="blur"),
)  # fmt: skip

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one model, `small`: a shipped one under another id, with other figures."""
    folder = tmp_path_factory.mktemp("models")
    shipped = min((ROOT / "models").glob("*/bundle.json")).parent
    shutil.copytree(shipped, folder / "small")
    spec = json.loads((folder / "small" / "bundle.json").read_text(encoding="utf-8"))
    spec |= {"id": "small", "intended_use": "Tests.", "figures": [vars(each) for each in FIGURES]}
    (folder / "small" / "bundle.json").write_text(json.dumps(spec), encoding="utf-8")
    return folder


@pytest.fixture
def run(run: Run, models: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same, with these models only."""
    monkeypatch.setenv("LEUKEMIA_MODELS", str(models))
    return run


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three drawn pictures, one of them with a name that a spreadsheet would run."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed, name in enumerate(("a.png", "b.png", "c.png")):
        pixels = np.full((48, 48, 3), (225, 220, 240), np.uint8)
        cv2.circle(pixels, (24, 20 + seed), 10, (150, 60, 110), -1)
        cv2.imwrite(str(folder / name), pixels)
    return folder


def read_json(text: str) -> object:
    return json.loads(text)


def test_classify_prints_a_table_with_a_line_a_file(run: Run, pictures: Path):
    code, out, err = run("classify", pictures, "--model", "small")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == [
        str(pictures / name) for name in ("a.png", "b.png", "c.png")
    ]
    assert "Research use only, not a diagnosis." in lines[-1]


def test_classify_counts_over_one_smear_unless_told_otherwise(
    run: Run, pictures: Path, tmp_path: Path
):
    report = tmp_path / "report.html"
    _, out, _ = run("classify", pictures, "--model", "small", "--report", report)
    assert words.ONE_SMEAR in out
    assert words.ONE_SMEAR in report.read_text()
    _, out, _ = run("classify", pictures, "--model", "small", "--report", report, "--separate")
    assert words.ONE_SMEAR not in out
    assert words.APART in report.read_text()


def test_classify_prints_one_array_in_the_order_given(run: Run, pictures: Path):
    files = [pictures / "c.png", pictures / "a.png"]
    code, out, err = run("classify", *files, "--model", "small", "--json")
    rows = read_json(out)
    assert (code, err) == (0, "")
    assert [row["file"] for row in rows] == [str(path) for path in files]
    assert {"model", "decision", "probabilities", "scope", "morphology", "remarks", "ms", "device",
            "recipe_digest"} <= set(rows[0])  # fmt: skip
    assert set(rows[0]["decision"]) == {"kind", "label", "reasons"}
    assert sum(rows[0]["probabilities"].values()) == pytest.approx(1, abs=1e-6)


def test_classify_without_cells_gives_the_same_probabilities(run: Run, pictures: Path):
    _, measured, _ = run("classify", pictures, "--model", "small", "--json")
    _, quick, _ = run("classify", pictures, "--model", "small", "--json", "--no-cells")
    for full, bare in zip(read_json(measured), read_json(quick), strict=True):
        assert bare["probabilities"] == full["probabilities"]
        assert bare["cells"] is None
        assert bare["morphology"] is None


def test_classify_gives_the_same_answer_alone_and_among_others(run: Run, pictures: Path):
    _, among, _ = run("classify", pictures, "--model", "small", "--json")
    _, alone, _ = run("classify", pictures / "b.png", "--model", "small", "--json")
    assert read_json(among)[1]["probabilities"] == read_json(alone)[0]["probabilities"]


def test_classify_reports_a_broken_file_in_its_place_and_ends_with_1(run: Run, pictures: Path):
    (pictures / "b.png").write_text("no picture")
    code, out, err = run("classify", pictures, "--model", "small", "--json")
    rows = read_json(out)
    assert (code, err) == (1, "")
    assert set(rows[1]) == {"file", "error"}
    assert rows[1]["error"]["kind"] == "image"
    assert "error" not in rows[0]
    assert "error" not in rows[2]


def test_classify_ends_with_2_where_nothing_was_read(run: Run, tmp_path: Path):
    code, out, _ = run("classify", tmp_path / "missing.png", "--model", "small", "--json")
    assert code == 2
    assert "missing.png" in read_json(out)[0]["error"]["message"]


def test_classify_writes_a_table_that_no_spreadsheet_runs(
    run: Run, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    evil = pictures / "=HYPERLINK(1).png"
    (pictures / "a.png").rename(evil)
    monkeypatch.chdir(pictures)
    code, _, _ = run(
        "classify", evil.name, "b.png", "--model", "small", "--csv", tmp_path / "t.csv"
    )
    assert code == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text("utf-8-sig"))))
    assert [row["file"] for row in rows] == ["'=HYPERLINK(1).png", "b.png"]
    assert not list(tmp_path.glob("*.part"))


def test_classify_writes_a_report_of_one_and_of_many(run: Run, pictures: Path, tmp_path: Path):
    run("classify", pictures, "--model", "small", "--report", tmp_path / "many.html")
    run("classify", pictures / "a.png", "--model", "small", "--report", tmp_path / "one.html")
    many, one = ((tmp_path / f"{name}.html").read_text() for name in ("many", "one"))
    assert many.count("data:image/png") == 3
    assert "Grad-CAM" in one
    assert "http" not in many.replace("http-equiv", "")


def test_classify_says_where_a_file_cannot_be_written(run: Run, pictures: Path, tmp_path: Path):
    code, _, err = run("classify", pictures, "--model", "small", "--csv", tmp_path / "no" / "t.csv")
    assert code == 2
    assert "t.csv cannot be written" in err
    assert "Choose another place" in err


def test_classify_names_the_models_there_are(run: Run, pictures: Path):
    code, out, err = run("classify", pictures, "--model", "smal")
    assert (code, out) == (2, "")
    assert err.startswith("classify: No model has the id 'smal'; there are: ")
    assert "small" in err


def test_segment_writes_masks_of_the_picture_s_size(run: Run, pictures: Path, tmp_path: Path):
    code, out, _ = run("segment", pictures, "--out", tmp_path / "masks", "--json")
    rows = read_json(out)
    assert code == 0
    assert [Path(row["mask"]).name for row in rows] == ["a_mask.png", "b_mask.png", "c_mask.png"]
    mask = cv2.imread(rows[0]["mask"], cv2.IMREAD_UNCHANGED)
    assert mask.shape == (48, 48)
    assert set(np.unique(mask)) <= {0, 128, 255}
    assert (mask == 255).sum() == rows[0]["nucleus_px"]


def test_segment_reports_a_broken_file_and_goes_on(run: Run, pictures: Path):
    (pictures / "b.png").write_text("no picture")
    code, out, _ = run("segment", pictures, "--method", "clahe_otsu")
    assert code == 1
    assert "b.png  not read  " in out.splitlines()[1]


def test_segment_refuses_to_write_one_mask_twice(run: Run, pictures: Path, tmp_path: Path):
    (tmp_path / "other").mkdir()
    (pictures / "a.png").rename(tmp_path / "other" / "b.png")
    code, _, err = run("segment", pictures, tmp_path / "other", "--out", tmp_path / "masks")
    assert code == 2
    assert "b_mask.png twice" in err
    assert "one folder at a time" in err


def test_segment_names_its_methods(run: Run, pictures: Path):
    code, _, err = run("segment", pictures, "--method", "magic")
    assert code == 2
    assert "--method is 'magic'; use clahe_otsu or stain." in err


def test_segment_agrees_with_its_own_masks(run: Run, pictures: Path, tmp_path: Path):
    run("segment", pictures, "--out", tmp_path / "masks")
    code, out, _ = run("segment", pictures, "--masks", tmp_path / "masks", "--json")
    assert code == 0
    assert read_json(out)["cell"]["value"] == 1.0


def test_segment_compares_while_it_writes(run: Run, pictures: Path, tmp_path: Path):
    folder = tmp_path / "masks"
    code, out, _ = run("segment", pictures, "--out", folder, "--masks", folder)
    assert code == 0
    assert len(list(folder.iterdir())) == 3
    heads, cell = out.splitlines()[:2]
    assert heads.split("  ")[0] == "Dice, stain"
    assert cell.split() == ["whole", "cell", "1.000", "1.000–1.000", "1.000", "3"]


def test_segment_names_pictures_without_a_mask(run: Run, pictures: Path, tmp_path: Path):
    run("segment", pictures / "a.png", "--out", tmp_path / "masks")
    code, out, _ = run("segment", pictures, "--masks", tmp_path / "masks")
    assert code == 1
    assert "b_mask.png is not in" in out


def test_models_list_names_every_model_with_its_figure(run: Run):
    code, out, _ = run("models", "list")
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith("small ")]
    assert "macro-F1 0.910 (0.880–0.930) by run" in line


def test_models_list_shows_a_broken_model_with_the_reason(run: Run, tmp_path: Path):
    broken = tmp_path / "state" / "models" / "broken"
    broken.mkdir(parents=True)
    (broken / "bundle.json").write_text("{}")
    _, out, _ = run("models", "list", "--json")
    (row,) = [row for row in read_json(out) if row["id"] == "broken"]
    assert "bundle.json" in row["problem"]


def test_models_show_prints_facts_and_every_figure_with_its_interval_and_n(run: Run):
    code, out, _ = run("models", "show", "small")
    assert code == 0
    assert "For         Tests." in out
    assert "0.880–0.930" in out
    assert "500 in 20 runs" in out
    assert "control; colour only" in out


def test_models_show_names_the_models_there_are(run: Run):
    code, _, err = run("models", "show", "nothing")
    assert code == 2
    assert "No model has the id 'nothing'; there are: " in err


def test_models_check_tries_every_engine(run: Run):
    code, out, _ = run("models", "check", "small", "--json")
    (found,) = read_json(out)
    assert code == 0
    assert found["ok"]
    assert set(found["engines"]) == {"litert", "keras"}
    assert max(found["engines"].values()) <= 1e-3


def test_models_check_names_a_file_that_changed(run: Run, models: Path, tmp_path: Path):
    changed = tmp_path / "state" / "models" / "changed"
    changed.parent.mkdir(parents=True)
    shutil.copytree(models / "small", changed)
    spec = (changed / "bundle.json").read_text().replace('"id": "small"', '"id": "changed"')
    (changed / "bundle.json").write_text(spec)
    (changed / "model.tflite").write_bytes(b"x")
    code, out, _ = run("models", "check", "changed")
    assert code == 2
    assert out.startswith("changed  failed  ")
    assert "model.tflite does not match" in out


def test_models_figures_lists_results_and_controls_only(models: Path):
    from leukemia_app.bundles.store import read_spec

    table = cli_models.figures_table([read_spec(models / "small")])
    assert table.count("macro-F1") == 2
    assert (
        "| `small` | macro-F1 | 0.910 | 0.880–0.930 | 500 in 20 runs | test, by run |  |" in table
    )
    assert "blur" not in table


def test_models_figures_writes_between_the_marks(run: Run, tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- figures: x -->\nstale\n<!-- end of figures -->\nb\n")
    code, _, _ = run("models", "figures", "--into", page)
    assert code == 0
    text = page.read_text()
    assert "stale" not in text
    assert text.startswith("a\n<!-- figures: x -->\n")
    assert text.endswith("\n<!-- end of figures -->\nb\n")


def test_text_without_marks_is_refused():
    with pytest.raises(SettingError, match=r"no marks <!-- figures: … --> .*add them"):
        cli_models.between_marks("a\nb\n", "inner", "figures")


def test_render_draws_the_same_for_the_same_seed(run: Run, tmp_path: Path):
    for name in ("one", "two"):
        code, _, _ = run(
            "render", "--label", "Early", "--n", 2, "--seed", 7, "--out", tmp_path / name
        )
        assert code == 0
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["Early-7.png", "Early-7_mask.png", "Early-8.png", "Early-8_mask.png"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_render_answers_a_wrong_label_with_the_right_ones(run: Run, tmp_path: Path):
    code, _, err = run("render", "--label", "Erly", "--out", tmp_path)
    assert code == 2
    assert "label is 'Erly'; use one of Benign, Early" in err


def test_render_refuses_to_draw_nothing(run: Run, tmp_path: Path):
    code, _, err = run("render", "--label", "Early", "--n", 0, "--out", tmp_path)
    assert code == 2
    assert "--n is 0; use 1 or more." in err


def test_an_unknown_setting_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LEUKEMIA_DEVISE", "gpu")
    code, out, err = run("models", "list")
    assert (code, out) == (2, "")
    assert err == "models: LEUKEMIA_DEVISE is no setting of this version. " \
        "Did you mean LEUKEMIA_DEVICE?\n"  # fmt: skip


def test_what_nobody_foresaw_gets_a_reference(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(*_: object) -> int:
        raise RuntimeError("a slip")

    monkeypatch.setattr(cli_models, "run_list", broken)
    with caplog.at_level(logging.ERROR):
        code, out, err = run("models", "list")
    assert (code, out) == (2, "")
    reference = caplog.records[-1].getMessage().removeprefix("reference ")
    assert reference in err
    assert "Traceback" not in err.splitlines()[-1]


@pytest.mark.parametrize(("n_done", "n_asked", "code"), [(3, 3, 0), (2, 3, 1), (0, 3, 2)])
def test_exit_codes(n_done: int, n_asked: int, code: int):
    assert exit_code(n_done, n_asked) == code


@pytest.mark.parametrize("arguments", [[], ["classify"], ["classify", "a.png", "--device", "tpu"]])
def test_bad_arguments_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom leukemia_app.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "assert not {'numpy', 'gradio', 'keras', 'cv2'} & set(sys.modules), 'heavy'"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "classify" in done.stdout


def test_classify_needs_no_tensorflow(models: Path, pictures: Path, tmp_path: Path):
    code = (
        "import sys\nfrom leukemia_app.cli import main\n"
        f"code = main(['classify', {str(pictures)!r}, '--model', 'small', '--json'])\n"
        "assert not {'tensorflow', 'keras', 'gradio', 'sklearn'} & set(sys.modules), 'heavy'\n"
        "sys.exit(code)"
    )
    environment = os.environ | {"LEUKEMIA_MODELS": str(models), "LEUKEMIA_DEVICE": "cpu",
                                "LEUKEMIA_STATE_DIR": str(tmp_path)}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          timeout=60, env=environment)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert len(read_json(done.stdout)) == 3


def test_a_reader_that_leaves_early_is_no_error(models: Path, pictures: Path, tmp_path: Path):
    environment = os.environ | {"LEUKEMIA_MODELS": str(models), "LEUKEMIA_STATE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "leukemia_app", "classify", *[str(pictures)] * 200,
               "--model", "small", "--json"]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment) as process:  # fmt: skip
        assert process.stdout.read(10).startswith(b"[")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 1


class Screen(io.StringIO):
    """A stream that says whether it is a terminal."""

    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


def test_progress_says_on_a_terminal_how_long_it_will_take():
    screen, seconds = Screen(True), iter([0.0, 10.0])
    progress = cli_output.Progress(5, screen, lambda: next(seconds))
    progress.step()
    # one took 10 s, four are left
    assert screen.getvalue() == "\r\x1b[K1 of 5, 40 s left"


def test_progress_tells_nothing_before_the_first_is_done():
    screen, seconds = Screen(True), iter([0.0, 10.0])
    cli_output.Progress(5, screen, lambda: next(seconds)).reach(0)
    assert screen.getvalue() == ""


def test_progress_is_silent_in_a_pipe():
    screen = Screen(False)
    progress = cli_output.Progress(5, screen)
    progress.step()
    progress.clear()
    assert screen.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (89, "89 s"), (150, "2 min"), (7500, "2 h 5 min")]
)
def test_durations_in_words(seconds: float, words: str):
    assert cli_output.duration(seconds) == words


def test_a_json_array_without_items_is_empty():
    stream = io.StringIO()
    with cli_output.JsonArray(stream):
        pass
    assert json.loads(stream.getvalue()) == []


def test_a_json_array_leaves_no_line_unfinished():
    stream = io.StringIO()
    with cli_output.JsonArray(stream) as array:
        for number in (1, 2):
            array.add({"a": number})
            assert stream.getvalue().endswith("}\n")
    assert json.loads(stream.getvalue()) == [{"a": 1}, {"a": 2}]


def test_a_json_array_is_whole_after_a_failure():
    stream = io.StringIO()

    def fail() -> None:
        with cli_output.JsonArray(stream) as array:
            array.add({"a": 1})
            raise SettingError("half way")

    with pytest.raises(SettingError, match="half way"):
        fail()
    assert json.loads(stream.getvalue()) == [{"a": 1}]
