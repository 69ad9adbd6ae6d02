"""The processors of the check `"replicas"`."""

import keras


def use_two_cpus() -> None:
    """Splits the CPU in two for TensorFlow, which the check `"replicas"` needs.

    Call it before anything else that uses TensorFlow.

    Raises:
        RuntimeError: If TensorFlow is initialized already, or isn't Keras's backend.
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            "Check 'replicas' is for the TensorFlow backend. "
            f"Received: {keras.backend.backend()}"
        )
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )


def two_cpus() -> list:
    """Returns the logical CPUs, at most two; none on another backend."""
    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    return tf.config.list_logical_devices("CPU")[:2]
