"""Lists, prepares and checks data sets, as `keras_asymbp.benchmarks.datasets`."""

from keras_asymbp.benchmarks.commands.datasets import main

if __name__ == "__main__":
    main()
