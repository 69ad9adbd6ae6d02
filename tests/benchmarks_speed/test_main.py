import functools
import json
import pathlib

import pytest

from benchmarks import speed


@pytest.fixture
def run(run_program):
    return functools.partial(run_program, "speed")


def test_without_a_gpu_it_says_so(run, tmp_path):
    file = tmp_path / "figures.json"
    done = run("--device=gpu", f"--json={file}", CUDA_VISIBLE_DEVICES="-1")
    assert done.stdout == "no GPU\n"
    assert not file.exists()


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--question=speed", "unknown question 'speed'"),
        # Each starts TensorFlow, to reach the same line of the program.
        pytest.param("--device=tpu", "unknown device 'tpu'", marks=pytest.mark.slow),
        pytest.param(
            "--architectures=vgg", "unknown architecture 'vgg'", marks=pytest.mark.slow
        ),
        pytest.param(
            "--rounds=0", "--rounds must be 1 or more", marks=pytest.mark.slow
        ),
        pytest.param(
            "--read=nowhere.json", "can't read nowhere.json", marks=pytest.mark.slow
        ),
    ],
)
def test_bad_input_is_one_line(run, flag, message):
    done = run(flag, code=2)
    (line,) = [each for each in done.stderr.splitlines() if each.startswith("error:")]
    assert "Traceback" not in done.stderr
    assert message in line


@pytest.mark.slow
def test_figures_are_kept_and_shown_again(run, tmp_path):
    file, picture = tmp_path / "figures.json", tmp_path / "picture.png"
    measured = run("--question=start_up", "--rounds=1", f"--json={file}")
    record = json.loads(file.read_text())
    assert record["command"].startswith("python -m benchmarks.speed --question=")
    assert record["date"]
    assert record["device"] == "cpu"
    assert record["machine"]["threads"] >= 1
    assert record["versions"]["tensorflow"]
    assert {row["question"] for row in record["rows"]} == {"start_up"}
    timed = [row for row in record["rows"] if "figure_cpu" in row]
    assert {row["rounds"] for row in timed} == {1}
    assert all(row["others"] >= 0 for row in timed)
    shown = run(f"--read={file}", f"--picture={picture}")
    assert shown.stdout == measured.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_every_question_can_be_asked(run):
    questions = []
    for file in pathlib.Path(speed.__file__).parent.glob("*.py"):
        if "\nTITLE = " in file.read_text(encoding="utf-8"):
            questions.append(file.stem)
    assert len(questions) > 1
    told = run("--help").stdout
    assert [name for name in questions if name not in told] == []
