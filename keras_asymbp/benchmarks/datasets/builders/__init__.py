"""Builders of the paper's data sets that TensorFlow Datasets lacks, one per file."""
