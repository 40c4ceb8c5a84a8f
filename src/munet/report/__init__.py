"""Pictures of a system. Matplotlib is imported only when one is drawn."""

from munet.report.network.picture import draw_network

__all__ = ["draw_network"]
