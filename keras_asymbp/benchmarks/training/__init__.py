"""Training one model: the only room, beside the data loaders, with a tensor library."""
