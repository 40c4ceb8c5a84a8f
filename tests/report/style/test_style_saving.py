"""Figures are written in print quality, whole or not at all, and twice the same."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from munet.errors import InputError
from munet.report.style.saving import DPI, SUFFIXES, check_suffix, encode, save


def figure(text: str = "words"):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(2, 1))
    FigureCanvasAgg(made)
    axes = made.subplots()
    axes.fill_between([0, 1], [0, 0], [1, 1], hatch="/")  # clip paths and patterns have ids in SVG
    axes.set_title(text)
    return made


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_two_figures_that_look_the_same_give_the_same_bytes_without_a_date(suffix: str):
    first, second = encode(figure(), suffix), encode(figure(), suffix)
    assert first == second
    assert first != encode(figure("other words"), suffix)
    assert not re.search(rb"CreationDate|dc:date|20\d\d-\d\d-\d\d", first)


def test_png_has_print_quality(tmp_path: Path):
    path = save(figure(), tmp_path / "a.PNG")
    with Image.open(path) as image:
        assert image.size == (2 * DPI, DPI)
        assert image.info["dpi"] == pytest.approx((DPI, DPI), rel=1e-3)
    assert DPI == 300


def test_pdf_holds_its_fonts_and_svg_its_letters():
    assert b"/FontFile2" in encode(figure(), ".pdf")
    svg = encode(figure(), ".svg")
    assert b"<text" not in svg
    assert Image.open(BytesIO(encode(figure(), ".png"))).format == "PNG"


@pytest.mark.parametrize("name", ["x.gif", "x", "png", "x.jpeg"])
def test_another_suffix_is_refused_and_nothing_is_written(tmp_path: Path, name: str):
    for refuse in (check_suffix, lambda path: save(figure(), path)):
        with pytest.raises(InputError, match=rf"{name}: a picture ends in \.png, \.svg, \.pdf"):
            refuse(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_in_one_step_and_nothing_else_is_left(tmp_path: Path):
    target = tmp_path / "a.svg"
    target.write_text("old")
    assert save(figure(), target) == target
    assert target.read_bytes().startswith(b"<?xml")
    assert [file.name for file in tmp_path.iterdir()] == ["a.svg"]
