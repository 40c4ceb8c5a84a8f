from .frames import History, history

__all__ = ["History", "history"]
