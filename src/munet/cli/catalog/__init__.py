"""The command group `munet catalog`.

list.py  catalog; view.py is what it shows
add.py   `munet add SYSTEM --catalog NAME`
"""
