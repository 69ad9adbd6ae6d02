"""Reports of results: in the terminal, and as Markdown, LaTeX, HTML and CSV."""
