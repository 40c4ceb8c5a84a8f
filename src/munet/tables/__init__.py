"""Typed tables as values, and as text for terminals, Markdown, CSV, LaTeX and JSON."""
