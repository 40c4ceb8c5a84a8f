from .images import decode_image
from .names import check_name
from .record import Split, TaskOptions, add, load

__all__ = ["Split", "TaskOptions", "add", "check_name", "decode_image", "load"]
