from .attaching import attach
from .convert import Import, import_published, prepare

__all__ = ["Import", "attach", "import_published", "prepare"]
