"""Options of BioTorch and of sign-symmetry, with our equivalents, as data.

`keras-asymbp translate` and the tables of docs/from-biotorch.md are made from it. Notes
are in Markdown.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Setting:
    """One of our settings.

    Attributes:
        flag: Its flag of `python -m keras_asymbp.benchmarks`; "" if it has none.
        python: Its equivalent in Python; "" if there is none.
    """

    flag: str = ""
    python: str = ""


@dataclasses.dataclass(frozen=True)
class Here:
    """Our equivalent of one value of a peer's option.

    Attributes:
        value: The value of our setting; None if the command has no equivalent.
        note: How ours differs, or what to do instead.
        python: The expression in Python, if it differs from `value`.
        also: Other settings of ours that the peer's value implies, with their values.
    """

    value: Any = None
    note: str = ""
    python: str = ""
    also: tuple[tuple[str, Any], ...] = ()

    @property
    def exists(self) -> bool:
        """Whether there is an equivalent, as a flag or in Python."""
        return self.value is not None or bool(self.python)


@dataclasses.dataclass(frozen=True)
class Option:
    """One option of a peer.

    Attributes:
        name: The peer's name for it: a file's keys joined by dots, or an argument.
        setting: Key of its equivalent in `SETTINGS`; "" if there is none.
        note: How ours differs, or what to do instead. Shown when the option is read,
            unless its value is in `fine`.
        instead: Our equivalent, if it is not a setting.
        fine: Values that match our only behavior.
        values: Equivalents of the peer's values; None if values are kept. `note` is
            shown for all other values.
        kind: Type of its values: `str`, `int`, `float`, `bool` or `list`.
        names: Its other names.
        default: The peer's default.
        same_as: Name of another option. No note is shown if both have the same value.
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
_BY_SETTINGS = f"trials are identified by their settings: {_LEAVE_OUT}"
_ON_DISK = f"data are held in memory or memory-mapped: {_LEAVE_OUT}"
_PROGRESS = f"progress is always shown: {_LEAVE_OUT}"
_UNREAD = "BioTorch 0.0.16 ignores it too"
_OWN_NETWORK = (
    "build it from Keras layers, or take it from `keras.applications`, and use the "
    "lines of Python"
)
_TEST_IMAGES = (
    "the best epoch is chosen on the test images, as in BioTorch; without "
    "`--validation_share 0`, on a tenth of the training images"
)
_ON_TEST_IMAGES = (("validation_share", 0),)
_OF_KERAS = "`keras.applications`'s, which differs from torchvision's in details"
_APPLICATIONS = {
    name.lower(): Here(name, _OF_KERAS, f"keras.applications.{name}(weights=None)")
    for name in (
        *("DenseNet121", "DenseNet169", "DenseNet201"),
        *("ResNet50", "ResNet101", "ResNet152"),
    )
}
_WEIGHTS = "`asymmetrize` a pretrained model, such as `keras.applications.ResNet50()`"
_GPUS = "the environment variable `CUDA_VISIBLE_DEVICES`"
_SCALE = (
    "BioTorch's scale is sqrt(2 / (width x height x (input + output channels))); "
    "`init_std` counts only the output channels"
)
_MAGNITUDES = (
    "BioTorch's magnitudes are uniform in [0, sqrt(3) s), s = sqrt(2 / (width x height "
    "x (input + output channels))); ours are uniform in [0, 1) times the scale"
)

# github.com/jsalbert/biotorch, version 0.0.16: the options that
# biotorch/benchmark/run.py reads, and others in its schema and documentation.
BIOTORCH = (
    Option("experiment.name", note=_BY_SETTINGS),
    Option("experiment.description", note=_BY_SETTINGS),
    Option("experiment.output_dir", "results_dir"),
    Option("experiment.seed", "seed", kind=int, default=1),
    Option("experiment.deterministic", "deterministic", kind=bool),
    Option(
        "data.dataset",
        "dataset",
        note="`--datasets` also takes paths, and names in TensorFlow Datasets",
        values={
            "mnist": Here("mnist", _TEST_IMAGES, also=_ON_TEST_IMAGES),
            "fashion_mnist": Here("fashion_mnist", _TEST_IMAGES, also=_ON_TEST_IMAGES),
            "cifar10": Here("cifar10", _TEST_IMAGES, also=_ON_TEST_IMAGES),
            "cifar10_benchmark": Here(
                "cifar10",
                "in Python, hold out a validation set and augment the rest yourself",
                also=(("validation_share", 0.1), ("augmentation", "standard")),
            ),
            "cifar100": Here("cifar100", _TEST_IMAGES, also=_ON_TEST_IMAGES),
            "imagenet": Here(
                note="rename its folder `val` to `test`, and give the path to "
                "`--datasets`"
            ),
        },
    ),
    Option(
        "data.dataset_path",
        note="`--data_dir` is the folder of data sets prepared by TensorFlow Datasets; "
        "`--datasets` takes the path of a folder with one folder per class",
    ),
    Option(
        "data.target_size",
        kind=int,
        note=f"images are resized to the network's input: {_LEAVE_OUT}",
    ),
    Option("data.num_workers", kind=int, note=_ON_DISK),
    Option("data.batch_size", kind=int, note=f"for evaluation only: {_LEAVE_OUT}"),
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
        note="BioTorch's modes are backpropagation, fa, usf, brsf, frsf and dfa",
        values={
            "backpropagation": Here("BP"),
            "fa": Here(
                "FA",
                "BioTorch draws V from the initializer of W, we from N(0, stddev^2)",
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
        note="give your layers `kernel_initializer=keras.initializers."
        "VarianceScaling(1 / 3, 'fan_in', 'uniform')`",
        values={"xavier": Here("glorot_uniform")},
    ),
    Option(
        "model.mode.options.constrain_weights",
        kind=bool,
        fine=(False,),
        note="write a `kernel_constraint` that keeps the initial norm of W",
    ),
    Option(
        "model.mode.options.gradient_clip",
        kind=bool,
        fine=(False,),
        note="`clipvalue=1` of the optimizer clips the gradients of weights, but not "
        "the errors passed to lower layers",
    ),
    Option("model.mode.options.scaling_factor", kind=bool, note=_UNREAD),
    Option("model.pretrained", kind=bool, fine=(False,), note=_WEIGHTS),
    Option(
        "model.checkpoint",
        note="PyTorch files can't be read; `keras.models.load_model` reads Keras files",
    ),
    Option("model.model_checkpoint", note=f"{_UNREAD}, and reads `model.checkpoint`"),
    Option(
        "model.loss_function.name",
        fine=("cross_entropy",),
        note="cross-entropy is the only loss",
    ),
    Option("training.hyperparameters.epochs", "epochs", kind=int),
    Option(
        "training.hyperparameters.num_epochs",
        kind=int,
        note=f"{_UNREAD}, and reads `training.hyperparameters.epochs`",
    ),
    Option("training.hyperparameters.batch_size", "batch_size", kind=int),
    Option(
        "training.optimizer.type",
        "optimizer",
        note="BioTorch's types are SGD, Adam and RMSProp",
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
        note="multistep_lr is BioTorch's only scheduler",
    ),
    Option("training.lr_scheduler.gamma", "gamma", kind=float),
    Option("training.lr_scheduler.milestones", "milestones", kind=list),
    Option(
        "training.metrics.top_k",
        kind=int,
        note=f"errors are top-1 errors: {_LEAVE_OUT}",
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
        note=f"{_UNREAD}, and reads `training.metrics.layer_alignment`",
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
        note="the test error is always measured",
    ),
)

_EVERY_LAYER = (
    "the command uses one rule for all layers; the lines of Python give the last layer "
    "its own"
)
_ONE_OPTIMIZER = (
    "one optimizer trains all layers: for two, write your own training loop with "
    "`redraw_feedback(model)`"
)
_SIGNS = "no optimizer here preserves the signs of weights"
_RESUMES = f"the same command resumes a stopped run: {_LEAVE_OUT}"
_SEVERAL = "`--jobs`, `--executor ray`, `--sbatch`"
_CHECKPOINTS = "`keras.callbacks.ModelCheckpoint(...)`, in Python"

# github.com/willwx/sign-symmetry, commit 3ed3812: the arguments of train.py, and the
# algorithms of its layers.
_ALGORITHMS = {
    "sign_symmetry": Here(
        "uSF",
        "in a fully connected layer, sign-symmetry's scale is 1 / sqrt(inputs)",
        _signs("UniformSignConcordant"),
    ),
    "sign_symmetry_random_magnitude": Here(
        "frSF",
        "in a convolution, sign-symmetry's magnitudes are |N(0, scale^2)|; ours are "
        "uniform in [0, scale)",
        _signs("FixedRandomSignConcordant"),
    ),
    "sign_symmetry_random_weights": Here(
        note="listed in sign-symmetry's help, but its layers reject it: they accept "
        "sign_symmetry_random_magnitude"
    ),
    "feedback_alignment": Here(
        "FA",
        "in a convolution, sign-symmetry's standard deviation is sqrt(2 / (width x "
        "height x output channels))",
        "keras_asymbp.feedbacks.FixedRandom(stddev=0.05)",
    ),
    "feedback_alignment_signed_init": Here(
        note="no experiment has it as a column; sign-symmetry's magnitudes are all "
        "equal, ours are random",
        python=_signs("InitSignedRandom"),
    ),
    "sham": Here("BP"),
    "None": Here("BP"),
}
SIGN_SYMMETRY = (
    Option(
        "--algo",
        "rule",
        note="sign-symmetry's layers do not know it either",
        values=_ALGORITHMS,
        default="sign_symmetry",
    ),
    Option(
        "--last-layer-algo",
        "last_rule",
        note="sign-symmetry's layers do not know it either",
        values={
            name: Here(note=_EVERY_LAYER, python=here.python or f'"{here.value}"')
            for name, here in _ALGORITHMS.items()
            if here.exists
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
        "cropped and flipped at random; the best epoch is chosen on a tenth of the "
        "training images, or with `--validation_share 0` on the test images, as in "
        "sign-symmetry",
    ),
    Option(
        "--arch",
        "architecture",
        note=_OWN_NETWORK,
        values={
            "resnet18": Here("resnet-18"),
            "alexnet": Here(
                "alexnet",
                "sign-symmetry's AlexNet has batch normalization and no dropout; ours "
                "is torchvision's",
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
        instead="`keras-asymbp report`, for a results folder",
        names=("-e",),
    ),
    Option("--pretrained", kind=bool, note=_WEIGHTS),
    Option("--world-size", kind=int, instead=_SEVERAL),
    Option("--dist-url", instead=_SEVERAL),
    Option("--dist-backend", instead=_SEVERAL),
    Option("--seed", "seed", kind=int),
    Option("--gpu", kind=int, instead=_GPUS),
)
