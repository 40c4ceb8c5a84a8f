"""Using the models of a system.

asked.py     what is asked of a model, checked without torch
pictures.py  images in whatever form as arrays, without torch
predict.py   predictions for a person's images
evaluate.py  accuracies over whole splits
"""
