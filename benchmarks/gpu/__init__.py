"""Runs the suite on a machine with an accelerator, for a given time."""
