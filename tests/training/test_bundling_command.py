"""The command on a card: one that its reader can use, and no folder of the maker's machine."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from leukemia_app.training.bundling import SETTINGS, _portable, command
from leukemia_app.training.config import RunConfig
from tests.tiny_runs import tiny_config


def test_a_shipped_bundle_names_its_file_of_settings(tmp_path):
    config = tiny_config(Path("../shared/data/set"), id="shipped")
    (tmp_path / "shipped.json").write_text(json.dumps(config.to_dict()))
    assert command(config, tmp_path) == (
        "python -m leukemia_app train ../shared/data/set --config docs/training/shipped.json "
        "--out runs/shipped"
    )


@pytest.mark.parametrize("path", sorted(SETTINGS.glob("*.json")), ids=lambda path: path.stem)
def test_every_configuration_in_the_documentation_is_named_by_its_card(path: Path):
    config = RunConfig.from_dict(json.loads(path.read_text()))
    assert f"--config docs/training/{path.name} " in command(config)


def test_a_bundle_of_ones_own_names_no_folder_of_its_server(tmp_path):
    config = tiny_config(tmp_path / "state" / "datasets" / "cells-1" / "pictures", id="cells-1",
                         external={"there": "/srv/there"}, outside="/srv/outside",
                         start="file:/srv/weights.h5")  # fmt: skip
    config = replace(config, groups=str(tmp_path / "cells-1" / "manifest.csv"))
    assert command(config, tmp_path) == (
        "python -m leukemia_app train PICTURES --config config.json --groups manifest.csv "
        "--out runs/cells-1"
    )
    assert command(replace(config, groups=None), tmp_path).endswith(
        "train PICTURES --config config.json --out runs/cells-1"
    )
    told = json.dumps(_portable(config, None))
    assert "/srv" not in told
    assert str(tmp_path) not in told
    assert '"start": "file:weights.h5"' in told


def test_another_data_set_under_a_shipped_name_is_not_that_bundle(tmp_path):
    config = tiny_config(Path("mine"), id="shipped")
    (tmp_path / "shipped.json").write_text(json.dumps({"data": "../shared/data/set"}))
    assert "--config config.json" in command(config, tmp_path)
    (tmp_path / "shipped.json").write_text("[]")
    assert "--config config.json" in command(config, tmp_path)
