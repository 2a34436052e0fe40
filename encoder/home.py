"""Where Spanglot keeps what it makes once per user."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def home_directory() -> Path:
    """Return Spanglot's cache directory: ``SPANGLOT_HOME``, else ``spanglot`` in the platform's cache directory.

    The directory is not created here.
    """
    named = os.environ.get("SPANGLOT_HOME")
    if named:
        return Path(named).expanduser().absolute()
    return _platform_cache() / "spanglot"


def _platform_cache() -> Path:
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) if local else Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    xdg = os.environ.get("XDG_CACHE_HOME")
    return Path(xdg) if xdg else Path.home() / ".cache"
