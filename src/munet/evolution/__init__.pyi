from .events import Event, Observer, TaskFinished
from .options import Budget, Where
from .start import estimate, evolve, resume

__all__ = ["Budget", "Event", "Observer", "TaskFinished", "Where", "estimate", "evolve", "resume"]
