"""Pictures of a results folder, each beside the paper's figures where it has some."""
