import os
import subprocess
import sys

import keras
import pytest

from keras_asymbp.benchmarks.training import device


def test_a_processor_is_no_accelerator():
    assert device.accelerator() is None


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a GPU of TensorFlow"
)
@pytest.mark.parametrize("details", [{"device_name": "Model X"}, {}])
def test_the_model_of_a_gpu_of_tensorflow(details, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    monkeypatch.setattr(
        tf.config.experimental, "get_device_details", lambda gpu: details
    )
    assert device.accelerator() == details.get("device_name", "GPU")


@pytest.mark.slow
def test_jax_computes_with_the_flag_for_gpus():
    program = (
        "from keras_asymbp.benchmarks.training import device\n"
        "import os, keras\n"
        "device.make_deterministic()\n"
        "device.make_deterministic()\n"
        "print(device.accelerator(), float(keras.ops.sum(keras.ops.ones(3))))\n"
        "print(os.environ['XLA_FLAGS'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_dump_to="},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (
        "None 3.0\n--xla_dump_to= --xla_gpu_deterministic_ops=true\n"
    )
