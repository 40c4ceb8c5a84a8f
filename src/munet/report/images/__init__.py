"""What a report shows of the images of each task: measured once on validation and test, and kept.

measuring.py   the answers of a task's model as figures, and which images are shown
confused.py    the classes that a confusion matrix shows, and their order
thumbnails.py  small images
kept.py        what was measured, in the cache folder
"""
