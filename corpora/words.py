"""Words by ICU's rules, in every script."""

from __future__ import annotations

from collections.abc import Iterator


def word_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans, half-open in code points, that ICU's word breaker cuts a text into; together they cover it.

    The rules are those of UAX 29, with dictionaries for Chinese, Japanese, Thai, Lao, Khmer and Burmese, which work in
    every locale. White space and punctuation are spans of their own. An empty text has none.
    """
    from icu4py.breakers import WordBreaker

    spans = WordBreaker(text, "en").segments()
    if not text or max(text) <= "\uffff":
        yield from spans
        return
    # ICU counts in UTF-16 units, of which the characters beyond U+FFFF take two.
    units, at = text.encode("utf-16-le"), 0
    for start, end in spans:
        length = len(units[2 * start : 2 * end].decode("utf-16-le"))
        yield at, at + length
        at += length
