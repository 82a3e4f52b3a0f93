"""spinbattery: charging quantum spin-network batteries.

Public names are loaded on first use, so that ``import spinbattery`` and ``spinbattery --help`` are
instant; their list is in ``__init__.pyi``.
"""

import time

import lazy_loader

_loaded_at = time.time()  # sources that are changed later may be in this process as they were before

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"
