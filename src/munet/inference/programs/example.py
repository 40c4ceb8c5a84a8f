"""A stand-alone script beside an ONNX file that asks it about images. Needs neither torch nor munet."""

from pathlib import Path

from munet.fs.atomic import write_atomic


def write_example(program: Path) -> Path:
    """Write the script beside the file; returns its path: predict.py, or predict_<name>.py where that is taken."""
    text = Path(__file__).with_name("example.txt").read_text(encoding="utf-8").format(file=program.name).encode()
    path = program.with_name("predict.py")
    if path.exists() and path.read_bytes() != text:
        path = program.with_name(f"predict_{program.stem}.py")
    write_atomic(path, text)
    return path
