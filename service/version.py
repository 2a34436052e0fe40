"""The version of the installed distribution."""

from __future__ import annotations


def spanglot_version() -> str:
    """Return the version of the installed distribution, or "unknown" where the packages are used uninstalled."""
    from importlib import metadata

    try:
        return metadata.version("spanglot")
    except metadata.PackageNotFoundError:
        return "unknown"
