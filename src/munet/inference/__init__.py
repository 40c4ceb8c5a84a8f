"""Using the models of a system.

asked.py     what is asked of a model, and the form of its task's images, without torch
pictures.py  images of whatever kind as arrays in that form, without torch
handed.py    answers for images of any kind that a person hands over
prepared.py  those as ready batches
predict.py   ready batches in, answers out
stream.py    answers for any number of files
evaluate.py  accuracies over whole splits
candidates.py  several models of one task, on its validation images
labelled.py  answers on any labelled images, recorded.py on a task's own; measures.py what they come to
exporting.py  models as files for others
programs/    models as programs that run without munet: ONNX, torch.export
described.py  what happens to an image, for people who use an exported network without munet
"""
