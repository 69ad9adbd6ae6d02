"""Other packages: their options, and how they translate into ours."""
