"""Finished runs of experiments: read, compared, drawn."""
