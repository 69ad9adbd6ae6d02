import pytest

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.peers import reading, translation
from keras_asymbp.benchmarks.peers.options import BIOTORCH, SIGN_SYMMETRY


@pytest.fixture
def write(tmp_path):
    """Writes a file; returns its name."""

    def write(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_keys_of_a_file_are_joined_by_dots(write):
    config = """
        experiment:
          name: "usf"
          seed: 2021
          description:        # null: not given
        data: {dataset: mnist}
        model:
          mode:
            options: {init: "xavier", gradient_clip: false}
          colour: blue
        training:
          optimizer: {lr: 1e-3, weight_decay: 0.0001}
          lr_scheduler: {milestones: [100, 150]}
        evaluation: true
        extra: {a: {b: 1}}
    """
    options, given = reading.read([write("usf.yaml", config)])
    assert options is BIOTORCH
    assert given == {
        "experiment.name": "usf",
        "experiment.seed": 2021,
        "data.dataset": "mnist",
        "model.mode.options.init": "xavier",
        "model.mode.options.gradient_clip": False,
        "model.colour": "blue",
        "training.optimizer.lr": "1e-3",  # a string in YAML
        "training.optimizer.weight_decay": 0.0001,
        "training.lr_scheduler.milestones": [100, 150],
        "evaluation": True,
        "extra": {"a": {"b": 1}},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!!python/object/apply:os.mkdir [made]", "is not valid YAML"),
        ("a: [1", "is not valid YAML"),
        ("a: &a [*a]\nb: 2020-99-99", "is not valid YAML"),
        ("- 1\n- 2", "is not a configuration file of BioTorch"),
        ("", "is not a configuration file of BioTorch"),
    ],
)
def test_other_files_are_refused_and_run_nothing(
    text, message, write, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message):
        reading.read([write("x.yaml", text)])
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--algo", "sham", "--arch=alexnet", "-b64", "--nsc", "photos"],
        ["train.py", "photos", "--al", "sham", "-aalexnet", "-b", "64", "--nsc"],
        [
            "CUDA_VISIBLE_DEVICES=0 python3 ../train.py --algo sham -a alexnet -b 64 "
            "--no-sign-change photos"
        ],
    ],
)
def test_a_command_line_is_parsed_as_by_train_py(arguments):
    options, given = reading.read(arguments)
    assert options is SIGN_SYMMETRY
    assert given == {
        "--algo": "sham",
        "--arch": "alexnet",
        "--batch-size": "64",
        "--no-sign-change": True,
        "data": "photos",
    }


def test_a_command_line_in_a_file(write):
    text = "# the best so far\npython train.py \\\n  --llr 0.01 \\\n  'my photos'\n"
    _, given = reading.read([write("best.sh", text)])
    assert given == {"--llr": "0.01", "data": "my photos"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train.py", "--lrr", "1"], "would reject this command line: .*--lrr"),
        (["train.py", "--last", "x"], "ambiguous option: --last"),
        (["train.py", "--epochs"], "--epochs"),
        (["--algo 'sham"], "can't read the command line"),
        ([], "name a configuration file of BioTorch"),
        (["nothing.yaml"], "can't read 'nothing.yaml'"),
    ],
)
def test_unreadable_arguments_are_refused(words, message):
    with pytest.raises(UsageError, match=message):
        reading.read(words)


def test_aliases_that_expand_to_gigabytes(write):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(12):
        lines.append(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]")
    lines += ["experiment: {name: *a12}", "again: &again {again: *again}"]
    options, given = reading.read([write("x.yaml", "\n".join(lines))])
    with pytest.raises(UsageError, match=r"experiment\.name must be a text") as raised:
        translation.translate(options, given)
    assert len(str(raised.value)) < 10_000
