"""The root of what the encoder raises on purpose."""

from __future__ import annotations


class ModelError(Exception):
    """A model directory or weights file that cannot be used; the one-line message names it and the cure."""
