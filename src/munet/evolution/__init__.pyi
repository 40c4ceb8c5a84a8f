from .events import Event, Observer, TaskFinished
from .loop import evolve
from .options import Budget, Where

__all__ = ["Budget", "Event", "Observer", "TaskFinished", "Where", "evolve"]
