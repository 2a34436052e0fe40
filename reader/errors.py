"""What a reader raises on purpose."""

from __future__ import annotations

from corpora.errors import SpanglotError


class ReaderError(SpanglotError):
    """Reader weights, settings or training inputs that cannot be used; the message names them and the cure."""
