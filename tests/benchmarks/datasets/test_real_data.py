"""Real data through each network for images, from prepared folder to table."""

import json

import pytest

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
    assert {folder.name.split("-")[0] for folder in cache.iterdir()} == errors.keys()
