"""Pictures of a system. Matplotlib is imported only when one is drawn."""

from .network import draw_network

__all__ = ["draw_network"]
