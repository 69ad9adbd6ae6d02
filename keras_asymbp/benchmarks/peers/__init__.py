"""Options of other packages and their translation into ours."""
