"""A run on pictures that were corrected by hand says so wherever its figures stand."""

from dataclasses import replace
from pathlib import Path

from leukemia_app.bundles.store import read_spec
from leukemia_app.data.corrections import Correction, changes_words, correct
from leukemia_app.data.manifest import read_manifest, write_manifest
from leukemia_app.training.corrections import changes_in, keep_changes
from leukemia_app.training.results import gather
from leukemia_app.training.run import carry_out
from leukemia_app.training.run_folder import RunFolder
from tests.tiny_runs import draw_set, tiny_config


def test_card_report_and_folder_tell_what_was_corrected(tmp_path: Path):
    table = draw_set(tmp_path / "set")
    rows = read_manifest(tmp_path / "set", table, "patient").rows
    made = correct(rows, {
        "normal/4-0.png": Correction(file="normal/4-0.png", label="blast", run="ward-7"),
        "blast/2-0.png": Correction(file="blast/2-0.png", label="", run="ward-7"),
    })  # fmt: skip
    write_manifest(table, made.rows)
    keep_changes(RunFolder(path=table.parent), made.changes)
    run = RunFolder(path=tmp_path / "runs" / "tiny")
    config = tiny_config(tmp_path / "set", head_epochs=0, tune_epochs=1)
    run.create(replace(config, about=replace(config.about, limits="Few.")))
    carry_out(run)

    assert changes_in(run.path) == made.changes
    said = changes_words(made.changes)
    assert "1 test picture relabelled, 1 validation picture dropped" in said
    assert gather(run).corrected == said
    assert said in (run.path / "report" / "report.html").read_text(encoding="utf-8")
    assert read_spec(run.path / "bundle").data["limits"] == f"Few. {said}"
    assert said in (run.path / "bundle" / "README.md").read_text(encoding="utf-8")
    (run.path / "corrections.json").write_text("{")
    found = gather(run)
    assert found.corrected == ""
    assert any("what was corrected by hand is not known" in note for note in found.notes)
