"""The processor or the accelerator that trains, and how it computes."""

import functools
import os

import keras

from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.datasets.prepared import cache_root
from keras_asymbp.benchmarks.errors import UsageError

# The variable of JAX, for those who want figures less exact and sooner.
_PRECISION = "JAX_DEFAULT_MATMUL_PRECISION"
# What JAX calls the parts of compiling.
_COMPILING = (
    "/jax/core/compile/jaxpr_trace_duration",
    "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "/jax/core/compile/backend_compile_duration",
)


def accelerator() -> str | None:
    """The model of the first GPU or TPU; None without one."""
    if keras.backend.backend() == "jax":
        import jax

        first = jax.devices()[0]
        return None if first.platform == "cpu" else first.device_kind
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    if not found:
        return None
    return tf.config.experimental.get_device_details(found[0]).get("device_name", "GPU")


def prepare(deterministic: bool) -> None:
    """Prepares the backend for training; call it before anything is computed.

    On an accelerator JAX keeps what it compiles in a folder of the cache, for later
    processes, and multiplies float32 as float32. Its own default there is faster and
    less exact, such as TF32, which has 10 bits of the 23.

    Args:
        deterministic: Whether each run of the same program on the same device has to
            give the same numbers. On JAX only GPUs need it.
    """
    if keras.backend.backend() == "jax":
        if deterministic:
            _add_flag("XLA_FLAGS", "--xla_gpu_deterministic_ops=true")
        if accelerator():
            _prepare_accelerator()
    elif deterministic:
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def precision() -> str:
    """How float32 is multiplied: "float32", or as the backend or the user has it."""
    if keras.backend.backend() == "jax" and accelerator():
        return os.environ.get(_PRECISION) or "float32"
    # TensorFlow multiplies so on GPUs, unless told otherwise.
    return "TF32" if accelerator() else "float32"


def whole_epochs(requested: bool | None) -> bool:
    """Whether an epoch is one program: by default on accelerators.

    On a processor a convolution in `lax.scan` is five times slower than alone.

    Args:
        requested: What the user wants; None for the default.

    Raises:
        UsageError: If it is requested and the backend is not JAX.
    """
    if requested:
        environment.require_jax(keras.backend.backend())
    if requested is None:
        return keras.backend.backend() == "jax" and accelerator() is not None
    return requested


@functools.cache
def _compile_clock():
    """Seconds that JAX has compiled for since the first call, as a list of one."""
    import jax

    total = [0.0]

    def add(event, seconds, **_):
        if event in _COMPILING:
            total[0] += seconds

    jax.monitoring.register_event_duration_secs_listener(add)
    return total


def compile_seconds(since: float | None = None) -> float | None:
    """Seconds that this process has compiled for; None on TensorFlow, which hides it.

    Args:
        since: What an earlier call returned; None for all so far.
    """
    if keras.backend.backend() != "jax":
        return None
    return _compile_clock()[0] - (since or 0.0)


def lanes(requested: int | None, whole: bool) -> int | None:
    """The most trials that train together; None for all of a batch schedule.

    That is the default on accelerators with whole epochs, and 1 elsewhere: a processor
    is busy with one trial.

    Args:
        requested: What the user wants; None for the default.
        whole: Whether an epoch is one program.

    Raises:
        UsageError: If several are requested without whole epochs.
    """
    if requested is None:
        return None if whole and accelerator() else 1
    if requested > 1 and not whole:
        raise UsageError(
            "--lanes needs an epoch in one program: add --backend jax --whole_epochs, "
            "or leave --lanes out"
        )
    return requested


def _prepare_accelerator():
    import jax

    jax.config.update(
        "jax_default_matmul_precision", os.environ.get(_PRECISION) or "float32"
    )
    if not jax.config.jax_compilation_cache_dir:
        jax.config.update("jax_compilation_cache_dir", str(cache_root() / ".xla"))
    # By default only what took a second to compile is kept.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _add_flag(variable, flag):
    present = os.environ.get(variable, "").split()
    os.environ[variable] = " ".join(dict.fromkeys([*present, flag]))
