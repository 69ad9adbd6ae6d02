"""Runs experiments and prints their tables: `python -m keras_asymbp.benchmarks`."""

from keras_asymbp.benchmarks.commands.run import main

if __name__ == "__main__":
    main()
