"""Real data through every network that takes images, from prepared folder to table."""

import json

import pytest

# The large network is slow on a processor: one epoch of fewer images is as whole.
EXAMPLES = {"mnist": 5_000, "cifar": 2_000, "svhn": 1_000, "large": 400}


@pytest.mark.slow
@pytest.mark.parametrize("architecture", EXAMPLES)
@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_an_epoch(dataset, architecture, benchmarks, tfds_data_dir, tmp_path, cache):
    done = benchmarks(
        *("--exp=A", f"--datasets={dataset}", "--models=BN", "--epochs=1"),
        *("--learning_rates=5e-4", f"--architecture={architecture}"),
        *(f"--train_examples={EXAMPLES[architecture]}", "--test_examples=500"),
        *(f"--data_dir={tfds_data_dir}", f"--results_dir={tmp_path / 'results'}"),
    )
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "results" / "trials").iterdir()
    trial = json.loads(path.read_text())
    assert trial["settings"]["architecture"] == architecture
    (row,) = trial["result"]["curves"]
    assert not trial["result"]["diverged"]
    # Guessing is 0.9 wrong.
    assert row["test_error"] < (0.5 if dataset == "mnist" else 0.85)
    (folder,) = cache.iterdir()
    assert folder.name.startswith(dataset)
