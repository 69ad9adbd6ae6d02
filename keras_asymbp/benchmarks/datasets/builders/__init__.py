"""The data sets of the paper that TensorFlow Datasets lacks, a builder a file."""
