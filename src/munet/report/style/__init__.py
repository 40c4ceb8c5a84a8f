"""What all pictures have in common.

fonts.py    text in any script
palette.py  colours of tasks
saving.py   figures as files
"""
