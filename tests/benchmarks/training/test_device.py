import os
import subprocess
import sys

import keras
import pytest

from keras_asymbp.benchmarks.datasets import prepared
from keras_asymbp.benchmarks.errors import UsageError
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


def test_trials_train_together_on_accelerators(monkeypatch):
    assert device.lanes(None, whole=True) == device.lanes(None, whole=False) == 1
    monkeypatch.setattr(device, "accelerator", lambda: "Model X")
    assert device.lanes(None, whole=True) is None
    assert device.lanes(None, whole=False) == 1
    for requested in (1, 3):
        assert device.lanes(requested, whole=True) == requested


def test_lanes_without_whole_epochs_are_refused():
    assert device.lanes(1, whole=False) == 1
    with pytest.raises(UsageError, match="add --backend jax --whole_epochs"):
        device.lanes(2, whole=False)


@pytest.mark.slow
def test_jax_computes_with_the_flag_for_gpus():
    program = (
        "from keras_asymbp.benchmarks.training import device\n"
        "import os, keras\n"
        "device.prepare(deterministic=True)\n"
        "device.prepare(deterministic=True)\n"
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


@pytest.fixture
def on_jax(monkeypatch):
    """The configuration of JAX, restored at the end; Keras's backend is JAX."""
    jax = pytest.importorskip("jax")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.delenv("JAX_DEFAULT_MATMUL_PRECISION", raising=False)
    names = (
        "jax_default_matmul_precision",
        "jax_compilation_cache_dir",
        "jax_persistent_cache_min_compile_time_secs",
        "jax_persistent_cache_min_entry_size_bytes",
    )
    before = {name: getattr(jax.config, name) for name in names}
    yield jax.config
    for name, value in before.items():
        jax.config.update(name, value)


def test_a_processor_keeps_the_configuration_of_jax(on_jax):
    before = dict(on_jax.values)
    device.prepare(deterministic=False)
    assert dict(on_jax.values) == before
    assert device.precision() == "float32"


def test_an_accelerator_computes_in_float32_and_keeps_its_programs(
    on_jax, monkeypatch, cache
):
    monkeypatch.setattr(device, "accelerator", lambda: "Model X")
    device.prepare(deterministic=False)
    assert on_jax.jax_default_matmul_precision == device.precision() == "float32"
    assert on_jax.jax_compilation_cache_dir == str(cache / ".xla")
    assert on_jax.jax_persistent_cache_min_compile_time_secs == 0
    # No data set of the cache.
    (cache / ".xla").mkdir(parents=True)
    assert list(prepared.damaged(cache)) == []


def test_the_user_chooses_another_precision_and_folder(on_jax, monkeypatch, tmp_path):
    monkeypatch.setattr(device, "accelerator", lambda: "Model X")
    monkeypatch.setenv("JAX_DEFAULT_MATMUL_PRECISION", "tensorfloat32")
    on_jax.update("jax_compilation_cache_dir", str(tmp_path / "mine"))
    device.prepare(deterministic=False)
    assert on_jax.jax_default_matmul_precision == "tensorfloat32"
    assert device.precision() == "tensorfloat32"
    assert on_jax.jax_compilation_cache_dir == str(tmp_path / "mine")


@pytest.mark.parametrize("accelerator", [None, "Model X"])
def test_whole_epochs_are_the_default_of_jax_on_accelerators(
    accelerator, on_jax, monkeypatch
):
    monkeypatch.setattr(device, "accelerator", lambda: accelerator)
    assert device.whole_epochs(None) is (accelerator is not None)
    assert device.whole_epochs(True) is True
    assert device.whole_epochs(False) is False


def test_tensorflow_has_no_whole_epochs(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    assert device.whole_epochs(None) is False
    with pytest.raises(UsageError, match="--whole_epochs needs JAX"):
        device.whole_epochs(True)


def test_the_seconds_of_compiling(on_jax):
    import jax

    before = device.compile_seconds()
    jax.jit(lambda x: x * 3.5 + 1)(2.0)
    once = device.compile_seconds()
    assert once > before
    assert device.compile_seconds() == once
    assert device.compile_seconds(once) == 0


def test_tensorflow_does_not_tell_what_it_compiles(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    assert device.compile_seconds() is None
