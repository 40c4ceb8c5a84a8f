"""What several figures are drawn of."""

# pandas carries no types of its own:
# pyright: reportGeneralTypeIssues=false

from typing import Any

import pytest

from analysis_tools import big_system
from image_tools import made_up
from munet.analysis import History, history
from munet.report.figures import answers


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Three tasks; parents of other tasks, rejected and lost children among 96."""
    made = history(big_system(tmp_path_factory.mktemp("figures") / "grown", tasks=3, children=96, blocks=2))
    assert not made.children["accepted"].all()
    return made


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What was measured of every task, without images."""
    found = made_up(5, thumbnails=0)
    monkeypatch.setattr(answers, "seen", lambda _, records, **more: {record["name"]: found for record in records})
    return found
