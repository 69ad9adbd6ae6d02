"""The program keras-asymbp: `python -m keras_asymbp`."""

from keras_asymbp.benchmarks.commands.subcommands import main

if __name__ == "__main__":
    main()
