"""Images and labels that are arrays: `npz:`, `idx:` and `cifar:`.

    source.py      the source that all of them share: labels, classes, images of the arrays of each split
    npz.py         `npz:`, numpy archives and pairs of .npy files, and which arrays are which
    idx.py         `idx:`, the files of MNIST, Fashion-MNIST, KMNIST and EMNIST
    cifar.py       `cifar:`, the binary version of CIFAR-10 and CIFAR-100
    roles.py       which arrays hold the images, the labels and the names, by what people call them
    meta.py        names of classes in meta.json
    reading.py     reading one array of a file, in memory and time that its file deserves

Nothing is ever unpickled.
"""
