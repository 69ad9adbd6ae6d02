"""Options of BioTorch and of sign-symmetry, and what stands for them here, as data.

`keras-asymbp translate` reads by it, and the tables of docs/from-biotorch.md are made
of it: notes are in Markdown.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Setting:
    """One of our settings, which options of peers become.

    Attributes:
        flag: Of `python -m keras_asymbp.benchmarks`; "" if it has none.
        python: What it is in Python; "" if nothing.
    """

    flag: str = ""
    python: str = ""


@dataclasses.dataclass(frozen=True)
class Here:
    """What stands here for one value of a peer's option.

    Attributes:
        value: Of our setting; None if the command has nothing for it.
        note: How ours differs, or what to do instead.
        python: The expression in Python, if it isn't the value's own.
        also: More of our settings that it means, with their values.
    """

    value: Any = None
    note: str = ""
    python: str = ""
    also: tuple[tuple[str, Any], ...] = ()

    @property
    def is_something(self) -> bool:
        return self.value is not None or bool(self.python)


@dataclasses.dataclass(frozen=True)
class Option:
    """One option of a peer.

    Attributes:
        name: As the peer writes it: the keys of a file joined by dots, or an argument.
        setting: The key of `SETTINGS` that its value becomes; "" if nothing does.
        note: How ours differs, or what to do instead. It is shown where the option is
            read, unless its value is `fine`.
        instead: What does the same here, if it is no setting.
        fine: Values that ask for what is done here anyway.
        values: The peer's values with what stands for each; None if they stay as they
            are. `note` is for all others.
        kind: What its values are: `str`, `int`, `float`, `bool` or `list`.
        names: Other names for it.
        default: The peer's, where it isn't given.
        same_as: Name of an option. With the same value there is nothing to show.
    """

    name: str
    setting: str = ""
    note: str = ""
    instead: str = ""
    fine: tuple[Any, ...] = ()
    values: Mapping[Any, Here] | None = None
    kind: type = str
    names: tuple[str, ...] = ()
    default: Any = None
    same_as: str = ""


SETTINGS = {
    "rule": Setting("--models", "`asymmetrize(model, feedback=...)`"),
    "last_rule": Setting(python='`asymmetrize(model, feedback={"LAYER": ...})`'),
    "architecture": Setting("--architecture", "a model of your own"),
    "dataset": Setting("--datasets", "`datasets.get(...).load()`"),
    "validation_share": Setting("--validation_share", "`fit(validation_data=...)`"),
    "augmentation": Setting("--augmentation", "layers of `keras.layers`"),
    "initializer": Setting(python="`kernel_initializer` of your layers"),
    "epochs": Setting("--epochs", "`fit(epochs=...)`"),
    "batch_size": Setting(python="`fit(batch_size=...)`"),
    "optimizer": Setting(python="`compile(optimizer=...)`"),
    "rate": Setting("--learning_rates", "`learning_rate` of the optimizer"),
    "momentum": Setting(python="`momentum` of the optimizer"),
    "weight_decay": Setting(python="`weight_decay` of `BatchManhattan`"),
    "betas": Setting(python="`beta_1` and `beta_2` of `Adam`"),
    "milestones": Setting(python="`LearningRateScheduler`"),
    "gamma": Setting(python="`LearningRateScheduler`"),
    "decay_every": Setting(python="`LearningRateScheduler`"),
    "seed": Setting("--seeds", "`keras.utils.set_random_seed(...)`"),
    "deterministic": Setting(
        "--deterministic", "`tf.config.experimental.enable_op_determinism()`"
    ),
    "results_dir": Setting("--results_dir"),
}


def _signs(rule: str, scale: str = '"init_std"') -> str:
    return f"keras_asymbp.feedbacks.{rule}(scale={scale})"


_LEAVE_OUT = "leave it out"
_BY_SETTINGS = f"trials are kept by their settings: {_LEAVE_OUT}"
_ON_DISK = f"data is held in memory or memory-mapped: {_LEAVE_OUT}"
_PROGRESS = f"progress is always shown: {_LEAVE_OUT}"
_UNREAD = "BioTorch 0.0.16 does not read it either"
_OWN_NETWORK = (
    "build it of Keras's layers, or take one of `keras.applications`, and use the "
    "lines of Python"
)
_TEST_IMAGES = (
    "the test images choose the epoch, as there; without `--validation_share` a tenth "
    "of the training images does"
)
_ON_TEST_IMAGES = (("validation_share", 0),)
_OF_KERAS = "as `keras.applications` has it, which is not torchvision's in all details"
_APPLICATIONS = {
    name.lower(): Here(name, _OF_KERAS, f"keras.applications.{name}(weights=None)")
    for name in (
        *("DenseNet121", "DenseNet169", "DenseNet201"),
        *("ResNet50", "ResNet101", "ResNet152"),
    )
}
_WEIGHTS = (
    "`asymmetrize` a model that has its weights, such as "
    "`keras.applications.ResNet50()`"
)
_GPUS = "`CUDA_VISIBLE_DEVICES`, set before the command"
_SCALE = (
    "its scale is sqrt(2 / (width x height x (input + output channels))); `init_std` "
    "has the output channels alone"
)
_MAGNITUDES = (
    "its magnitudes are uniform in [0, sqrt(3) s), s = sqrt(2 / (width x height x "
    "(input + output channels))); ours are uniform in [0, 1) times the scale"
)

# Of github.com/jsalbert/biotorch: what biotorch/benchmark/run.py reads, and what the
# schema and the page on configuration files name beside that. Version 0.0.16.
BIOTORCH = (
    Option("experiment.name", note=_BY_SETTINGS),
    Option("experiment.description", note=_BY_SETTINGS),
    Option("experiment.output_dir", "results_dir"),
    Option("experiment.seed", "seed", kind=int, default=1),
    Option("experiment.deterministic", "deterministic", kind=bool),
    Option(
        "data.dataset",
        "dataset",
        note="`--datasets` takes paths, and names of TensorFlow Datasets",
        values={
            "mnist": Here("mnist", _TEST_IMAGES, also=_ON_TEST_IMAGES),
            "fashion_mnist": Here("fashion_mnist", _TEST_IMAGES, also=_ON_TEST_IMAGES),
            "cifar10": Here("cifar10", _TEST_IMAGES, also=_ON_TEST_IMAGES),
            "cifar10_benchmark": Here(
                "cifar10",
                "in Python, hold out images and mirror and move the others yourself",
                also=(("validation_share", 0.1), ("augmentation", "standard")),
            ),
            "cifar100": Here("cifar100", _TEST_IMAGES, also=_ON_TEST_IMAGES),
            "imagenet": Here(
                note="give the path of its folder to `--datasets`, with `val` renamed "
                "to `test`"
            ),
        },
    ),
    Option(
        "data.dataset_path",
        note="`--data_dir` is the folder of what TensorFlow Datasets has prepared; "
        "`--datasets` takes the path of a folder of class folders",
    ),
    Option(
        "data.target_size",
        kind=int,
        note=f"images are resized to what the network takes: {_LEAVE_OUT}",
    ),
    Option("data.num_workers", kind=int, note=_ON_DISK),
    Option("data.batch_size", kind=int, note=f"of evaluation alone: {_LEAVE_OUT}"),
    Option(
        "model.architecture",
        "architecture",
        note=_OWN_NETWORK,
        values={
            "le_net_mnist": Here("lenet-mnist"),
            "le_net_cifar": Here("lenet-cifar"),
            "resnet20": Here("resnet-20"),
            "resnet56": Here("resnet-56"),
            "resnet18": Here("resnet-18"),
            "alexnet": Here("alexnet"),
            **_APPLICATIONS,
        },
    ),
    Option(
        "model.mode.type",
        "rule",
        note="its modes are backpropagation, fa, usf, brsf, frsf and dfa",
        values={
            "backpropagation": Here("BP"),
            "fa": Here(
                "FA",
                "its V is from the initializer of W, ours N(0, stddev^2)",
                "keras_asymbp.feedbacks.FixedRandom(stddev=0.05)",
            ),
            "usf": Here("uSF", _SCALE, _signs("UniformSignConcordant")),
            "brsf": Here("brSF", _MAGNITUDES, _signs("BatchwiseRandomSignConcordant")),
            "frsf": Here("frSF", _MAGNITUDES, _signs("FixedRandomSignConcordant")),
            "dfa": Here("DFA", python="keras_asymbp.direct_feedback(model)"),
        },
    ),
    Option(
        "model.mode.options.init",
        "initializer",
        note="`kernel_initializer=keras.initializers.VarianceScaling(1 / 3, 'fan_in', "
        "'uniform')` of your layers",
        values={"xavier": Here("glorot_uniform")},
    ),
    Option(
        "model.mode.options.constrain_weights",
        kind=bool,
        fine=(False,),
        note="a `kernel_constraint` of your own that holds W at its first norm",
    ),
    Option(
        "model.mode.options.gradient_clip",
        kind=bool,
        fine=(False,),
        note="`clipvalue=1` of the optimizer cuts the gradients of weights alone, not "
        "the errors that layers send down",
    ),
    Option("model.mode.options.scaling_factor", kind=bool, note=_UNREAD),
    Option("model.pretrained", kind=bool, fine=(False,), note=_WEIGHTS),
    Option(
        "model.checkpoint",
        note="files of PyTorch can't be read; `keras.models.load_model` reads Keras's",
    ),
    Option("model.model_checkpoint", note=f"{_UNREAD}, but `model.checkpoint`"),
    Option(
        "model.loss_function.name",
        fine=("cross_entropy",),
        note="cross-entropy is the only one",
    ),
    Option("training.hyperparameters.epochs", "epochs", kind=int),
    Option(
        "training.hyperparameters.num_epochs",
        kind=int,
        note=f"{_UNREAD}, but `training.hyperparameters.epochs`",
    ),
    Option("training.hyperparameters.batch_size", "batch_size", kind=int),
    Option(
        "training.optimizer.type",
        "optimizer",
        note="its types are SGD, Adam and RMSProp",
        values={
            "SGD": Here("SGD"),
            "Adam": Here(
                "Adam",
                "PyTorch adds weight_decay times W to the gradient: give your layers "
                "`kernel_regularizer=keras.regularizers.L2(weight_decay / 2)`",
            ),
            "RMSProp": Here(
                "RMSProp",
                "PyTorch adds weight_decay times W to the gradient: give your layers "
                "`kernel_regularizer=keras.regularizers.L2(weight_decay / 2)`",
            ),
        },
    ),
    Option("training.optimizer.lr", "rate", kind=float),
    Option("training.optimizer.weight_decay", "weight_decay", kind=float),
    Option("training.optimizer.momentum", "momentum", kind=float),
    Option("training.optimizer.betas", "betas", kind=list),
    Option("training.optimizer.epsilon", kind=float, note=_UNREAD),
    Option(
        "training.lr_scheduler.type",
        fine=("multistep_lr",),
        note="multistep_lr is the only one",
    ),
    Option("training.lr_scheduler.gamma", "gamma", kind=float),
    Option("training.lr_scheduler.milestones", "milestones", kind=list),
    Option(
        "training.metrics.top_k",
        kind=int,
        note=f"the error is that of the first guess: {_LEAVE_OUT}",
    ),
    Option("training.metrics.display_iterations", kind=int, note=_PROGRESS),
    Option(
        "training.metrics.layer_alignment",
        kind=bool,
        fine=(False,),
        instead="`--tensorboard`, `AlignmentMonitor()`: `LAYER/angle`",
    ),
    Option(
        "training.metrics.weight_alignment",
        kind=bool,
        note=f"{_UNREAD}, but `training.metrics.layer_alignment`",
    ),
    Option(
        "training.metrics.weight_ratio",
        kind=bool,
        fine=(False,),
        instead="`--tensorboard`, `AlignmentMonitor()`: `LAYER/norm_ratio`",
    ),
    Option("infrastructure.gpus", kind=list, instead=_GPUS),
    Option(
        "evaluation",
        kind=bool,
        fine=(True,),
        note="errors of test images are always taken",
    ),
)

_EVERY_LAYER = (
    "the command gives every layer one rule; the lines of Python give the last its own"
)
_ONE_OPTIMIZER = (
    "one optimizer trains all layers: for two, a loop of your own, with "
    "`redraw_feedback(model)`"
)
_SIGNS = "no optimizer here holds the signs of weights"
_RESUMES = f"the same command goes on where it was stopped: {_LEAVE_OUT}"
_SEVERAL = "`--jobs`, `--executor ray`, `--sbatch`"
_CHECKPOINTS = "`keras.callbacks.ModelCheckpoint(...)`, in Python"

# Of github.com/willwx/sign-symmetry, commit 3ed3812: the arguments of train.py, and the
# algorithms that its layers know.
_ALGORITHMS = {
    "sign_symmetry": Here(
        "uSF",
        "in a fully connected layer its scale is 1 / sqrt(inputs)",
        _signs("UniformSignConcordant"),
    ),
    "sign_symmetry_random_magnitude": Here(
        "frSF",
        "in a convolution its magnitudes are |N(0, scale^2)|; ours are uniform in [0, "
        "scale)",
        _signs("FixedRandomSignConcordant"),
    ),
    "sign_symmetry_random_weights": Here(
        note="its help names it, but its layers refuse it: they take "
        "sign_symmetry_random_magnitude"
    ),
    "feedback_alignment": Here(
        "FA",
        "in a convolution its standard deviation is sqrt(2 / (width x height x output "
        "channels))",
        "keras_asymbp.feedbacks.FixedRandom(stddev=0.05)",
    ),
    "feedback_alignment_signed_init": Here(
        note="no experiment has it as a column; its magnitudes are all the same, ours "
        "are random",
        python=_signs("InitSignedRandom"),
    ),
    "sham": Here("BP"),
    "None": Here("BP"),
}
SIGN_SYMMETRY = (
    Option(
        "--algo",
        "rule",
        note="its layers do not know it either",
        values=_ALGORITHMS,
        default="sign_symmetry",
    ),
    Option(
        "--last-layer-algo",
        "last_rule",
        note="its layers do not know it either",
        values={
            name: Here(note=_EVERY_LAYER, python=here.python or f'"{here.value}"')
            for name, here in _ALGORITHMS.items()
            if here.is_something
        },
        names=("--lalgo",),
        default="None",
        same_as="--algo",
    ),
    Option(
        "--batch-manhattan",
        "optimizer",
        values={False: Here("SGD"), True: Here("BM")},
        kind=bool,
        names=("--bm",),
        default=False,
    ),
    Option(
        "--last-layer-batch-manhattan",
        kind=bool,
        note=_ONE_OPTIMIZER,
        names=("--lbm",),
        default=False,
        same_as="--batch-manhattan",
    ),
    Option("--no-sign-change", kind=bool, note=_SIGNS, names=("--nsc",)),
    Option("--last-layer-no-sign-change", kind=bool, note=_SIGNS, names=("--lnsc",)),
    Option("--lr", "rate", kind=float, names=("--learning-rate",), default=0.1),
    Option(
        "--llr",
        kind=float,
        note=_ONE_OPTIMIZER,
        names=("--last-layer-learning-rate",),
        default=0.1,
        same_as="--lr",
    ),
    Option("--lr-decay", "decay_every", kind=int, names=("--lrd",), default=10),
    Option("--save-every-epoch", kind=bool, instead=_CHECKPOINTS, names=("--see",)),
    Option("--save-every-n-epochs", kind=int, instead=_CHECKPOINTS, names=("--sene",)),
    Option("--prefix", "results_dir"),
    Option(
        "data",
        "dataset",
        note="a folder with `train` and `val`: rename `val` to `test`. Images are not "
        "cut and mirrored at random; the epoch is chosen on a tenth of the training "
        "images, or with `--validation_share 0` on the test images, as there",
    ),
    Option(
        "--arch",
        "architecture",
        note=_OWN_NETWORK,
        values={
            "resnet18": Here("resnet-18"),
            "alexnet": Here(
                "alexnet",
                "its AlexNet has batch normalization and no dropout; ours is "
                "torchvision's",
            ),
            **{n: here for n, here in _APPLICATIONS.items() if n.startswith("resnet")},
        },
        names=("-a",),
        default="resnet18",
    ),
    Option("--workers", kind=int, note=_ON_DISK, names=("-j",)),
    Option("--epochs", "epochs", kind=int, default=90),
    Option("--start-epoch", kind=int, note=_RESUMES),
    Option("--batch-size", "batch_size", kind=int, names=("-b",), default=256),
    Option("--momentum", "momentum", kind=float, default=0.9),
    Option("--weight-decay", "weight_decay", kind=float, names=("--wd",), default=1e-4),
    Option("--print-freq", kind=int, note=_PROGRESS, names=("-p",)),
    Option("--resume", note=_RESUMES),
    Option(
        "--evaluate",
        kind=bool,
        instead="`keras-asymbp report`, of what is in a results folder",
        names=("-e",),
    ),
    Option("--pretrained", kind=bool, note=_WEIGHTS),
    Option("--world-size", kind=int, instead=_SEVERAL),
    Option("--dist-url", instead=_SEVERAL),
    Option("--dist-backend", instead=_SEVERAL),
    Option("--seed", "seed", kind=int),
    Option("--gpu", kind=int, instead=_GPUS),
)
