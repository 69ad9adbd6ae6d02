"""The processor or the accelerator that trains, on either backend."""

import os

import keras


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


def make_deterministic() -> None:
    """Makes each run of the same program on the same device give the same numbers.

    On JAX only GPUs need it, before the first computation.
    """
    if keras.backend.backend() == "jax":
        flag = "--xla_gpu_deterministic_ops=true"
        present = os.environ.get("XLA_FLAGS", "")
        if flag not in present:
            os.environ["XLA_FLAGS"] = f"{present} {flag}".strip()
        return
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
