"""The programs of one file that measure: each once, at its smallest."""

import json
import pathlib

import pytest

import benchmarks

_FOLDER = pathlib.Path(benchmarks.__file__).parent
# By name: the arguments, and a part of the output.
SMALLEST = {
    "cell_cost": (["--networks=mnist", "--rounds=1"], "Cost(update="),
    "diagnostics_cost": (["--rounds=1"], "`gradient_angles`"),
    "throughput": (["--part=overhead", "--cells=10", "--rounds=1"], "ray, 10 cells"),
    "weight_decay": (["--models=SGD", "--epochs=1", "--seeds=0"], "| SGD | 0.05 |"),
}
# They have a test file of their own.
OTHERS = ("jax_step",)


def test_each_program_is_tested():
    programs = {
        file.stem
        for file in _FOLDER.glob("*.py")
        if "program.start(" in file.read_text(encoding="utf-8")
    }
    assert programs == {*SMALLEST, *OTHERS}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALLEST)
def test_a_program_measures(name, run_program, tmp_path):
    arguments, part = SMALLEST[name]
    source = (_FOLDER / f"{name}.py").read_text(encoding="utf-8")
    file = tmp_path / "figures.json"
    keeps = '"json"' in source
    if keeps:
        arguments = [*arguments, f"--json={file}"]
    printed = run_program(name, *arguments).stdout
    assert part in printed
    if keeps:
        record = json.loads(file.read_text(encoding="utf-8"))
        assert f"benchmarks.{name}" in record["command"]
        assert record["machine"]
    if '"read"' in source:
        assert run_program(name, f"--read={file}").stdout == printed


@pytest.mark.slow
def test_epochs_of_another_graph_are_refused(run_program):
    done = run_program("cell_cost", "--more=100", code=2)
    assert "error: --more must be a multiple of 500, not 100\n" in done.stderr
