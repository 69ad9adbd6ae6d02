import json

import pytest


@pytest.mark.slow
def test_figures_are_kept_and_shown_again(run_program, tmp_path):
    file = tmp_path / "figures.json"
    printed = run_program("diagnostics_cost", "--rounds=1", f"--json={file}").stdout
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert len(rows) == 2
    for row in rows:
        measures = {"alignment", "gradient_angles", "diagnose", "similarity"}
        assert set(row["later"]) == set(row["first"]) == measures
        assert min(row["step"], *row["later"].values()) > 0
    assert run_program("diagnostics_cost", f"--read={file}").stdout == printed
