"""The ablation: which reading of what the paper leaves open agrees with it."""
