"""What a user or a file names, made inert: one escape for each format of output."""
