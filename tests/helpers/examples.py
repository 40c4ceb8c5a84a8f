"""How many inputs a generated test tries: few with every run, as many as MUNET_EXAMPLES says for a figure."""

import os


def examples(usual: int) -> int:
    return int(os.environ.get("MUNET_EXAMPLES", usual))
