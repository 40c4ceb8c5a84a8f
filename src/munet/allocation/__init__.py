"""Learned parameter allocation: tasks trained jointly over a pool of components (arXiv 1910.04915)."""
