"""The picture of a system's network.

layout.py     where everything goes, as plain numbers
families.py   what is alike side by side
picture.py    the drawing
figure.py     the figure of a system's network
animation.py  its growth as a GIF or a video
"""
