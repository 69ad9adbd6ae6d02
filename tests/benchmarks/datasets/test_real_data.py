"""Real data through each network for images, from prepared folder to table."""

import dataclasses
import itertools
import json
import pathlib

import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets import download, prepared
from keras_asymbp.benchmarks.datasets.fitting import fit_images
from keras_asymbp.benchmarks.datasets.prepared import Fit
from keras_asymbp.benchmarks.networks import NETWORKS, Application

# Fewer images for the large network, which is slow on a processor.
EXAMPLES = {"mnist": 5_000, "cifar": 2_000, "svhn": 1_000, "large": 400}


@pytest.mark.slow
@pytest.mark.parametrize("architecture", EXAMPLES)
def test_an_epoch(architecture, benchmarks, tfds_data_dir, tmp_path, cache):
    done = benchmarks(
        *("--exp=A", "--datasets=mnist,cifar10", "--models=BN", "--epochs=1"),
        *("--learning_rates=5e-4", f"--architecture={architecture}"),
        *(f"--train_examples={EXAMPLES[architecture]}", "--test_examples=500"),
        *(f"--data_dir={tfds_data_dir}", f"--results_dir={tmp_path / 'results'}"),
    )
    assert done.returncode == 0, done.stderr
    errors = {}
    for path in (tmp_path / "results" / "trials").iterdir():
        trial = json.loads(path.read_text())
        assert trial["settings"]["architecture"] == architecture
        assert not trial["result"]["diverged"]
        (row,) = trial["result"]["curves"]
        errors[trial["settings"]["dataset"]] = row["test_error"]
    # Chance is 0.9.
    assert errors["mnist"] < 0.5
    assert errors["cifar10"] < 0.85
    fitted = cache.glob("[!.]*")
    assert {folder.name.split("-")[0] for folder in fitted} == errors.keys()


# A shallow one and the deepest of each family.
NETWORKS_FOR_IMAGES = [
    name
    for name, network in NETWORKS.items()
    if len(network.input_shape) == 3
    and not isinstance(network.layers[0], Application)
    and network.depth in (None, 4, 20)
]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["caltech101", "flowers102"])
def test_photographs_go_through_every_network(name, tfds_data_dir):
    """A few steps each, on photographs of 102 classes."""
    import keras

    from keras_asymbp.benchmarks.training import batches, build
    from keras_asymbp.optimizers import BatchManhattan

    dataset = datasets.get(name)
    if not (pathlib.Path(tfds_data_dir) / download.origin(dataset).name).is_dir():
        pytest.skip(f"{name} is not prepared in KERAS_ASYMBP_TEST_DATA")
    assert {"large", "alexnet", "lenet-mnist", "plain-20"} <= set(NETWORKS_FOR_IMAGES)
    largest = max(NETWORKS[network].input_shape for network in NETWORKS_FOR_IMAGES)
    # Decoded once; it takes longer than the steps.
    arrays = prepared.load(Fit(dataset, largest, 102, 102, tfds_data_dir))
    assert sorted(arrays.y_train) == list(range(102))
    assert arrays.x_train.std(axis=0).min() > 10  # no image is like another
    examples = {}
    for network in NETWORKS_FOR_IMAGES:
        shape = NETWORKS[network].input_shape
        if shape not in examples:
            fitted = {
                name: fit_images(getattr(arrays, name), shape)
                for name in ("x_train", "x_test")
            }
            fitted = dataclasses.replace(arrays, **fitted)
            examples[shape] = batches.prepare(fitted, 1 / 255)
        model = build.build(network, 102, feedback="NuSF", normalization="BN")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(BatchManhattan(), loss, run_eagerly=True)
        first = model.trainable_variables[0].numpy()
        some = batches.training_batches(examples[shape], batch_size=4, seed=0)
        losses = [model.train_on_batch(*batch) for batch in itertools.islice(some, 2)]
        assert np.isfinite(losses).all(), network
        assert (model.trainable_variables[0].numpy() != first).any(), network
