"""What draws. Matplotlib is imported only when something is drawn.

network/  the picture of a system's network, and its growth as a video
figures/  the figures of a system's history
page/     the report as one HTML file
watch/    the same page, live while a system evolves
style/    fonts, colours, files
"""

from munet.report.network.picture import draw_network

__all__ = ["draw_network"]
