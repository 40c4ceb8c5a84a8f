"""Using the models of a system: predictions, accuracies."""
