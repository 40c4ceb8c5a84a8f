"""Models that leave: one program for one task or several, which runs without munet.

check.py    a written program against our own answers
example.py  a stand-alone script beside it; example.txt is what it is made from
graph.py    tasks as one module: what their models share is there once
write.py    as ONNX or as a program of `torch.export`
"""

from munet.inference.programs.write import SUFFIXES, write_program

__all__ = ["SUFFIXES", "write_program"]
