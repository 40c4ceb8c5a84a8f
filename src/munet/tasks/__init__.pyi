from .images import decode_image
from .names import check_name
from .record import Split, add, load

__all__ = ["Split", "add", "check_name", "decode_image", "load"]
