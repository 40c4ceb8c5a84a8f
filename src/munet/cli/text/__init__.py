"""What commands print.

formatting.py   numbers, ids and mutations as short texts
grid.py         tables that fit
renderables.py  plain values as rich tables and texts
measures.py     accuracy in detail: per class, confusions, worst images
progress.py     a bar with the time left
"""
