"""Using the models of a system.

predict.py   predictions for a person's images
evaluate.py  accuracies over whole splits
"""
