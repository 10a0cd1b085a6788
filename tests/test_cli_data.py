"""`data check` as a person runs it: exit codes, words, JSON, files."""

import json
import shutil

import pytest

from leukemia_app import cli
from leukemia_app.cli_train_config import asked_for
from leukemia_app.data.manifest import read_manifest
from leukemia_app.settings import Settings
from leukemia_app.training.corrections import changes_in
from tests.varied_set import draw_varied_set


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Two classes, six patients each. Do not change."""
    folder = tmp_path_factory.mktemp("drawn") / "small set"
    draw_varied_set(folder)
    return folder


@pytest.fixture
def data(drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "small set")
    return tmp_path / "small set"


def test_a_check_prints_sentences_and_tables(drawn, capsys):
    assert cli.main(["data", "check", str(drawn), "--groups", str(drawn / "groups.csv")]) == 0
    told = capsys.readouterr()
    assert "36 pictures of 2 classes" in told.out
    assert "the size of the cell alone" in told.out
    assert "train" in told.out
    assert told.err == ""


def test_unreadable_files_give_exit_code_one_and_are_named(data, capsys):
    (data / "blast" / "0-0.png").write_bytes(b"nothing")
    assert cli.main(["data", "check", str(data)]) == 1
    assert "left out: 0-0.png is not a picture" in capsys.readouterr().out


def test_json_is_one_value_on_standard_output(drawn, capsys):
    assert cli.main(["data", "check", str(drawn), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["n_read"] == 36
    assert {control["name"] for control in values["controls"]} <= {"colour", "size", "background"}
    assert "leak" not in values


def test_out_holds_page_values_and_a_manifest_for_training(drawn, tmp_path, capsys):
    out = tmp_path / "deep" / "out"
    assert cli.main(["data", "check", str(drawn), "--group-pattern", r"(\w+/\d)-",
                     "--out", str(out)]) == 0  # fmt: skip
    assert f"wrote manifest.csv, health.html and health.json into {out}." in capsys.readouterr().err
    assert sorted(path.name for path in out.iterdir()) == ["health.html", "health.json",
                                                           "manifest.csv"]  # fmt: skip
    manifest = read_manifest(drawn, out / "manifest.csv", "patient")
    assert {row.part for row in manifest.rows} == {"train", "val", "test"}
    assert json.loads((out / "health.json").read_text())["name"] == "small set"
    assert "small set" in (out / "health.html").read_text()


def test_without_groups_the_leak_is_refused_before_a_network_is_built(tmp_path, capsys):
    draw_varied_set(tmp_path / "x")
    (tmp_path / "x" / "groups.csv").unlink()
    assert cli.main(["data", "check", str(tmp_path / "x"), "--leak"]) == 2
    assert "No patient, slide or run is known" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--group-pattern", "(x)"], "fits none of the 36 names"),
        (["--groups", "nowhere.csv"], "nowhere.csv; check its path"),
        (["--leak", "--backbone", "lenet"], "backbone is 'lenet'"),
        (["--leak", "--start", "none"], "random features say nothing"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(drawn, options, said, capsys):
    assert cli.main(["data", "check", str(drawn), *options]) == 2
    assert said in capsys.readouterr().err


def test_no_folder_is_an_error(tmp_path, capsys):
    assert cli.main(["data", "check", str(tmp_path / "no")]) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_the_check_is_not_lost_where_the_leak_cannot_be_measured(drawn, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli.main(["data", "check", str(drawn), "--group-pattern", r"(\w+/\d)-", "--leak",
                     "--start", "file:nowhere.h5", "--out", str(out)]) == 2  # fmt: skip
    told = capsys.readouterr()
    assert "nowhere.h5 is not there" in told.err
    assert "36 pictures" in told.out
    assert (out / "health.html").exists()


def test_the_leak_of_an_unknown_model_is_refused_with_those_there_are(drawn, capsys):
    assert cli.main(["data", "check", str(drawn), "--group-pattern", r"(\w+/\d)-", "--leak",
                     "--start", "bundle:nobody"]) == 2  # fmt: skip
    assert "There is no model 'nobody'" in capsys.readouterr().err


def test_the_leak_is_printed_and_kept(drawn, tmp_path, monkeypatch, capsys):
    from leukemia_app.training import leak

    def features(wish, find_bundle):
        return lambda batch: batch.mean(axis=(1, 2))

    monkeypatch.setattr(leak, "averages", features)
    out = tmp_path / "out"
    assert cli.main(["data", "check", str(drawn), "--groups", str(drawn / "groups.csv"), "--leak",
                     "--side", "32", "--out", str(out)]) == 0  # fmt: skip
    assert "random split by picture promises AUROC" in capsys.readouterr().out
    assert json.loads((out / "health.json").read_text())["leak"]["folds"] == 4
    assert "The leak, measured" in (out / "health.html").read_text()


# Corrections by hand


def test_corrections_are_said_kept_and_told_by_the_run_that_learns_from_them(
    drawn, tmp_path, capsys
):
    table = tmp_path / "corrections.csv"
    # As the page saves it: the folder that was given to it stands before each name.
    table.write_text(
        "file,label,run\nsmall set/normal/0-0.png,blast,ward-7\n"
        "small set/blast/5-1.png,,ward-7\nsmall set/blast/9-9.png,hem,\n"
    )
    out = tmp_path / "out"
    code = cli.main(["data", "check", str(drawn), "--groups", str(drawn / "groups.csv"),
                     "--corrections", str(table), "--out", str(out)])  # fmt: skip
    told = capsys.readouterr().out
    assert code == 0
    assert "!  By hand, after seeing the answers of ward-7: " in told
    assert "not among the pictures: small set/blast/9-9.png" in told
    manifest = read_manifest(drawn, out / "manifest.csv", "patient")
    labels = {row.file: row.label for row in manifest.rows}
    assert labels["normal/0-0.png"] == "blast"
    assert "blast/5-1.png" not in labels
    assert [each.file for each in changes_in(out)] == ["blast/5-1.png", "normal/0-0.png"]

    arguments = cli.make_parser().parse_args(
        ["train", str(drawn), "--groups", str(out / "manifest.csv"), "--start", "none",
         "--backbone", "baseline_cnn", "--head", "plain", "--out", str(tmp_path / "run")]
    )  # fmt: skip
    asked_for(arguments, Settings.from_environment({})).write_table()
    assert changes_in(tmp_path / "run") == changes_in(out)


def test_a_table_that_holds_no_corrections_is_refused_before_the_check(drawn, tmp_path, capsys):
    (tmp_path / "c.csv").write_text("a,b\n")
    assert cli.main(["data", "check", str(drawn), "--corrections", str(tmp_path / "c.csv")]) == 2
    assert "lacks the column file and label" in capsys.readouterr().err
