"""Fonts, colours, files: what all pictures have in common."""
