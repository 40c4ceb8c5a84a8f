"""The experiments of arXiv 1910.04915 as runs."""
