import shlex

import pytest

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.peers import translation
from keras_asymbp.benchmarks.peers.options import (
    BIOTORCH,
    SIGN_SYMMETRY,
    Here,
    Option,
)

# As in BioTorch's own file for ResNet-20 with uSF.
USF = {
    "experiment.seed": 2021,
    "experiment.deterministic": True,
    "experiment.output_dir": "trained models",
    "data.dataset": "cifar10_benchmark",
    "model.architecture": "resnet20",
    "model.mode.type": "usf",
    "model.mode.options.init": "xavier",
    "model.mode.options.constrain_weights": False,
    "training.hyperparameters.epochs": 250,
    "training.hyperparameters.batch_size": 128,
    "training.optimizer.type": "SGD",
    "training.optimizer.lr": "1e-1",
    "training.optimizer.weight_decay": 0.0001,
    "training.optimizer.momentum": 0.9,
    "training.lr_scheduler.gamma": 0.1,
    "training.lr_scheduler.milestones": [100, 150, 200],
}


def flags(command):
    """The flags of a command, with their values."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "keras_asymbp.benchmarks"]
    found = {}
    for word in words[3:]:
        if word.startswith("--"):
            found[word] = last = []
        else:
            last.append(word)
    return {flag: " ".join(values) for flag, values in found.items()}


def biotorch(**changes):
    """Translates `USF` with changes: __ is a dot, None removes an option."""
    changes = {name.replace("__", "."): value for name, value in changes.items()}
    given = {k: v for k, v in (USF | changes).items() if v is not None}
    return translation.translate(BIOTORCH, given)


def sign_symmetry(**given):
    """Translates arguments: _ is a dash."""
    return translation.translate(
        SIGN_SYMMETRY,
        {
            name if name == "data" else f"--{name.replace('_', '-')}": value
            for name, value in ({"data": "photos"} | given).items()
        },
    )


def remarks_on(done, name):
    return [line for line in done.remarks if line.startswith(f"{name}: ")]


def test_the_command_has_every_option_that_has_a_flag():
    assert flags(biotorch().command) == {
        "--exp": "FA-bench",
        "--models": "uSF",
        "--architecture": "resnet-20",
        "--datasets": "cifar10",
        "--validation_share": "0.1",
        "--augmentation": "standard",
        "--epochs": "250",
        "--learning_rates": "0.001",  # the loss is summed over a batch of 100
        "--seeds": "2021",
        "--deterministic": "",
        "--results_dir": "trained models",
    }
    mnist = flags(biotorch(data__dataset="mnist").command)
    assert (mnist["--datasets"], mnist["--validation_share"]) == ("mnist", "0")
    assert "--augmentation" not in mnist
    without = biotorch(experiment__deterministic=False, experiment__seed=None)
    assert "--deterministic" not in flags(without.command)
    assert flags(without.command)["--seeds"] == "1"  # BioTorch's own


def test_options_without_equivalent_are_named_with_their_value():
    done = biotorch(
        data__num_workers=4,
        model__mode__options__gradient_clip=True,
        model__mode__options__constrain_weights=True,
        model__checkpoint="x.pth",
    )
    for name in (
        "data.num_workers: 4",
        "model.mode.options.gradient_clip: True",
        "model.mode.options.constrain_weights: True",
        "model.checkpoint: x.pth",
    ):
        (line,) = (line for line in done.remarks if line.startswith(f"{name}: "))
        assert ": no equivalent: " in line
        assert len(line) > len(f"{name}: no equivalent: ")
    assert not remarks_on(biotorch(), "model.mode.options.constrain_weights")
    assert not remarks_on(biotorch(), "experiment.seed")


def test_differences_of_the_command_are_named():
    done = biotorch()
    assert remarks_on(done, "training.optimizer.lr") == [
        "training.optimizer.lr: 0.1: the command uses 0.001: its loss is summed over a "
        "batch of 100"
    ]
    for name, words in (
        ("training.hyperparameters.batch_size", "the command uses 100"),
        ("training.optimizer.weight_decay", "equal to 5e-06 with the mean loss"),
        ("training.lr_scheduler.milestones", "after 50 of 65 epochs"),
        ("model.mode.options.init", "the command uses he_normal"),
    ):
        (line,) = remarks_on(done, name)
        assert "in Python only; the command uses " in line
        assert words in line
    same = biotorch(
        training__hyperparameters__batch_size=100,
        training__optimizer__weight_decay=5e-6,
    )
    assert not remarks_on(same, "training.hyperparameters.batch_size")
    assert not remarks_on(same, "training.optimizer.weight_decay")
    assert not remarks_on(same, "training.optimizer.momentum")
    none = biotorch(model__architecture="mnasnet1_0")
    assert not remarks_on(none, "training.hyperparameters.batch_size")


def test_a_rate_of_another_optimizer_is_not_given_to_sgd():
    for done in (
        biotorch(training__optimizer__type="Adam"),
        sign_symmetry(batch_manhattan=True),
    ):
        assert "--learning_rates" not in flags(done.command)
        (line,) = (line for line in done.remarks if "searches its own rates" in line)
        assert "lr: 0.1" in line


def test_unknown_options_are_named():
    done = biotorch(training__optimizer__learning_rate=1, colour={"a": "\x1b[1m"})
    assert "training.optimizer.learning_rate: unknown, ignored" in done.remarks[0]
    assert done.remarks[1].startswith("colour: unknown")
    (line,) = remarks_on(
        biotorch(**{"training__optimizer__nesterov\n": 1}),
        "'training.optimizer.nesterov\\n'",
    )
    assert "unknown" in line


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("training.optimizer.lr", "fast", "must be a number, not fast"),
        ("training.optimizer.lr", float("nan"), "must be a number, not nan"),
        ("training.optimizer.lr", True, "must be a number, not True"),
        ("training.hyperparameters.epochs", 2.5, "must be a whole number, not 2.5"),
        ("training.lr_scheduler.milestones", ["a"], "must be a list of numbers"),
        ("training.optimizer.betas", {"a": 1}, "must be a list of numbers"),
        ("experiment.deterministic", "yes", "must be true or false, not yes"),
        ("data.dataset", ["mnist"], "must be a text"),
        ("experiment.output_dir", "a\x1b[1m", r"must be a text, not 'a\\x1b\[1m'"),
    ],
)
def test_values_of_the_wrong_type_are_refused(name, value, words):
    with pytest.raises(UsageError, match=f"^{name} {words}"):
        translation.translate(BIOTORCH, USF | {name: value})


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("model.architecture", "mnasnet1_0", "has no equivalent"),
        ("model.mode.type", "weight_mirroring", "has no equivalent"),
        ("data.dataset", "imagenet", "has no equivalent"),
        ("data.dataset", None, "is not given"),
    ],
)
def test_no_command_without_an_equivalent(name, value, reason):
    given = {k: v for k, v in (USF | {name: value}).items() if v is not None}
    done = translation.translate(BIOTORCH, given)
    assert done.command is None
    assert f"no command: {name} {reason}" in done.remarks
    assert bool(remarks_on(done, name)) == (value is not None)


def test_defaults_of_the_peer_are_translated_and_marked():
    done = sign_symmetry()
    found = flags(done.command)
    assert found["--models"] == "uSF"
    assert found["--architecture"] == "resnet-18"
    assert (found["--epochs"], found["--learning_rates"]) == ("90", "0.001")
    (line,) = remarks_on(done, "--last-layer-algo")
    assert line.startswith("--last-layer-algo: None (its default): ")
    assert not remarks_on(done, "--llr")
    assert not remarks_on(done, "--last-layer-batch-manhattan")


def test_the_last_layer_is_compared_with_the_others():
    assert remarks_on(sign_symmetry(lr="0.5"), "--llr") == [
        "--llr: 0.1 (its default): no equivalent: one optimizer trains all layers: for "
        "two, write your own training loop with redraw_feedback(model)"
    ]
    assert not remarks_on(sign_symmetry(lr="0.5", llr="0.50"), "--llr")
    only_first = sign_symmetry(batch_manhattan=True)
    assert remarks_on(only_first, "--last-layer-batch-manhattan")
    both = sign_symmetry(batch_manhattan=True, last_layer_batch_manhattan=True)
    assert not remarks_on(both, "--last-layer-batch-manhattan")
    alike = sign_symmetry(algo="sham", last_layer_algo="sham")
    assert not remarks_on(alike, "--last-layer-algo")
    assert '"*"' not in alike.python


def test_notes_of_options():
    options = [
        Option("a", "rule", values={"x": Here("uSF", "`y`")}, note="else"),
        Option("b", "architecture"),
        Option("c", "dataset", fine=("m",), note="only m"),
        Option("d", instead="`--tensorboard`"),
    ]
    given = {"a": "x", "b": "lenet", "c": "m", "d": "e"}
    done = translation.translate(options, given)
    assert done.remarks == ("a: x: y", "d: e: --tensorboard")
    done = translation.translate(options, given | {"a": "z", "c": "n"})
    assert done.remarks[:2] == ("a: z: no equivalent: else", "c: n: only m")


SMALL = {
    "training.hyperparameters.epochs": 3,
    "training.hyperparameters.batch_size": 8,
    "training.lr_scheduler.milestones": [1, 2],
    "training.optimizer.lr": 0.5,
}


@pytest.fixture
def run():
    """Runs lines of Python with a small model; returns history, model and rules."""

    def run(lines):
        import keras
        import numpy as np

        first = keras.layers.Dense(5, "relu", name="hidden")
        model = keras.Sequential([keras.Input((4,)), first, keras.layers.Dense(3)])
        x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
        namespace = {"model": model, "x": x, "y": np.arange(16) % 3}
        exec(lines.replace("model.fit(", "history = model.fit("), namespace)
        trained = namespace["model"]
        assert trained is not model
        rules = [getattr(layer, "feedback", None) for layer in trained.layers]
        return namespace["history"].history, trained, [r for r in rules if r]

    return run


@pytest.mark.parametrize(
    ("mode", "alias"),
    [
        ("backpropagation", "BP"),
        ("usf", "uSF"),
        ("brsf", "brSF"),
        ("frsf", "frSF"),
        ("fa", "RndF"),
    ],
)
def test_the_lines_train_as_the_file_says(mode, alias, run):
    given = USF | SMALL | {"model.mode.type": mode}
    lines = translation.translate(BIOTORCH, given).python.replace(
        "tf.config.experimental.enable_op_determinism()", ""
    )
    history, model, rules = run(lines)
    assert [rule.alias for rule in rules] == [alias, alias]
    assert history["learning_rate"] == pytest.approx([0.5, 0.05, 0.005])
    assert (
        model.optimizer.get_config().items() >= {"setting": 0, "momentum": 0.9}.items()
    )
    assert float(model.optimizer.weight_decay) == 0.0001
    assert int(model.optimizer.iterations) == 3 * 2
    assert ("RedrawFeedback" in lines) == (mode == "brsf")


def test_the_lines_of_direct_feedback(run):
    given = USF | SMALL | {"model.mode.type": "dfa", "experiment.deterministic": False}
    done = translation.translate(BIOTORCH, given)
    assert flags(done.command)["--models"] == "DFA"
    _, model, rules = run(done.python)
    assert rules == []
    assert [b.shape for b in model.get_layer("direct_feedback").weights] == [(3, 5)]


def test_the_lines_of_sign_symmetry(run):
    from keras_asymbp import feedbacks

    done = sign_symmetry(
        algo="feedback_alignment_signed_init", epochs="3", batch_size="8"
    )
    assert done.command is None
    _, _, rules = run(done.python)
    assert isinstance(rules[0], feedbacks.InitSignedRandom)
    assert rules[0].scale == "init_std"
    assert rules[1].alias == "BP"


def test_without_a_known_optimizer_the_lines_only_convert():
    for changes in (
        {"training__optimizer__type": None},
        {"training__optimizer__type": "Lion"},
    ):
        done = biotorch(**changes)
        assert "asymmetrize(" in done.python
        assert "compile(" not in done.python
    (line,) = remarks_on(done, "training.optimizer.type")
    assert "Lion: no equivalent: BioTorch's types are SGD, Adam and RMSProp" in line


def test_batch_manhattan_is_setting_1():
    assert "setting=1)" in sign_symmetry(batch_manhattan=True).python
    assert "setting=0)" in sign_symmetry().python


@pytest.mark.parametrize("name", ["Adam", "RMSProp"])
def test_the_lines_of_other_optimizers(name, run):
    given = USF | SMALL | {"training.optimizer.type": name}
    given |= {
        "training.optimizer.betas": [0.8, 0.99],
        "experiment.deterministic": False,
    }
    done = translation.translate(BIOTORCH, given)
    assert "weight_decay" in remarks_on(done, "training.optimizer.type")[0]
    _, model, _ = run(done.python)
    assert type(model.optimizer).__name__.lower() == name.lower()
    config = model.optimizer.get_config()
    if name == "Adam":
        assert (config["beta_1"], config["beta_2"]) == (0.8, 0.99)
    else:
        assert config["momentum"] == 0.9


@pytest.mark.parametrize("mode", ["usf-2", "USF", None])
def test_an_unknown_mode_has_no_lines_that_train_by_backpropagation(mode):
    done = biotorch(model__mode__type=mode)
    assert done.command is done.python is None
    assert done.remarks[-1].startswith("no command: model.mode.type ")
    assert biotorch(model__mode__type="backpropagation").python


def test_variables_of_the_shell_get_a_remark():
    done = sign_symmetry(lr="$LR", prefix="runs/${NAME}", data="$1", epochs="3")
    for line in ("--lr: $LR: ", "--prefix: runs/${NAME}: ", "data: $1: "):
        assert any(
            remark.startswith(f"{line}a variable of the shell")
            for remark in done.remarks
        )
    assert flags(done.command)["--datasets"] == "$1"
    assert "--learning_rates" not in flags(done.command)
    assert "learning_rate" not in done.python
    without = sign_symmetry(algo="$ALGO")
    assert without.command is without.python is None
    assert without.remarks[-1] == "no command: --algo is a variable"
    assert "variable" not in " ".join(sign_symmetry(prefix="a$ b").remarks)
