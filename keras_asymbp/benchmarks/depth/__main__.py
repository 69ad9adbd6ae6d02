"""Runs the depth study: `python -m keras_asymbp.benchmarks.depth`."""

from keras_asymbp.benchmarks.commands.depth import main

if __name__ == "__main__":
    main()
