"""Typed tables for terminals, Markdown, CSV, LaTeX and JSON.

table.py     Table, Column, Cell
render.py    Markdown, CSV, LaTeX, JSON
terminal.py  terminals
folding.py   where text is broken that is too wide
"""
