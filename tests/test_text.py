"""Text of foreign origin, and numbers with their nouns."""

from munet.errors import InputError, StoreError
from munet.text import UNKNOWN, cells, clean, counted, value_text


def test_one_line_without_what_could_take_over_a_terminal() -> None:
    assert clean("a\x1b[31mb\nc\u202ed\u2028e\u2066") == "a□[31mb□c□d□e□"
    assert clean("a\ud800b") == f"a{UNKNOWN}b", "a lone surrogate cannot be encoded"
    assert clean("ক্\u200dষ 漢字") == "ক্\u200dষ 漢字", "joiners belong to the script"
    assert clean(3.5) == "3.5"


def test_an_error_is_one_line_whatever_it_names() -> None:
    assert str(InputError("a.csv, line 3: layers is '[1,\n2]\x00'")) == "a.csv, line 3: layers is '[1, 2]□'"
    assert StoreError("two\nlines", kind="busy").kind == "busy"


def test_cells() -> None:
    assert (cells("ab"), cells("漢字"), cells("e\u0301")) == (2, 4, 1)


def test_counted() -> None:
    assert [counted(1, "task"), counted(0, "task"), counted(3000, "class")] == ["1 task", "0 tasks", "3,000 classes"]


def test_values_as_people_write_them() -> None:
    assert [value_text(value) for value in (None, True, 0.30000000000000004, 7, "a\nb")] == [
        "-",
        "true",
        "0.3",
        "7",
        "a□b",
    ]
    assert value_text(["a\u202e", 1]) == '["a□", 1]'
    assert (value_text(None, nothing="–"), value_text(False, truth=("yes", "no"))) == ("–", "no")
