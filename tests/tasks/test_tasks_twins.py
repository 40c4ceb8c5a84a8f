"""Names of classes that are probably one class."""

import pytest

from munet.tasks.twins import told_of_twins

JOIN = "give them one name if they are one"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["rose", "daisy"], None),
        (["rose", "rose"], None),
        (["ab", "a b"], None),
        (["daisy", "Daisy"], "'Daisy' and 'daisy' are two classes"),
        (["cat", "Cat", "CAT"], "'CAT' and 'Cat' and 'cat' are 3 classes"),
        (["dog", "cat", "Dog", "Cat"], "'Cat' and 'cat'; 'Dog' and 'dog': these are different classes"),
        (
            ["a", "A", "b", "B", "c", "C", "d", "D", "e", "E"],
            "'A' and 'a'; 'B' and 'b'; 'C' and 'c'; 2 more such: these are different classes",
        ),
        (["red fox ", " red fox"], "' red fox' and 'red fox ' are two classes"),
        (["red  fox", "Red fox"], "'Red fox' and 'red  fox' are two classes"),
        (["red\u00a0fox", "red fox"], "'red fox' and 'red\\u00a0fox' are two classes"),
        (["fox\u200b", "fox"], "'fox' and 'fox\\u200b' are two classes"),
        (["fox\t", "fox"], "'fox' and 'fox\\u0009' are two classes"),
        (["caf\u00e9", "cafe\u0301"], "'cafe\u0301' (decomposed) and 'caf\u00e9' (composed) are two classes"),
        (
            ["\u00e9e\u0301", "\u00e9\u00e9"],
            "'\u00e9e\u0301' (partly composed) and '\u00e9\u00e9' (composed) are two classes",
        ),
        (["\u00c9", "\u00e9"], "'\u00c9' and '\u00e9' are two classes"),
    ],
)  # fmt: skip
def test_twins_are_told_so_that_they_can_be_told_apart(names: list[str], told: str | None) -> None:
    assert told_of_twins(names) == ([f"{told}: {JOIN}"] if told else [])
