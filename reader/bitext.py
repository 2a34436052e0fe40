"""Parallel paragraphs as training questions in one language on passages in another.

LibreOffice's help (MPL-2.0; Debian packages ``libreoffice-help-*``) is translated paragraph by paragraph: the pages of
all languages have the same names, and their paragraphs the same ids. A paragraph in one language is put as the
"question" and its page in another language is the passage. The answer is the parallel paragraph there; or, where the
paragraph has one highlighted term, the term is left out of the question, and its translation is the answer (a cloze).
Those are no questions, but they teach the reader to find in one language what was said in another::

    python -m reader.bitext en=HELP/en-US el=HELP/el de=HELP/de --into bitext.mul.train.jsonl.gz
"""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reader.errors import ReaderError

if TYPE_CHECKING:
    from lxml import html

PAGES, QUESTIONS_PER_PAGE = 5000, 6
_FEWEST_LANGUAGES = 8
_UNSPACED = ("zh", "ja")
_GAP = "…"


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """Its text, and its highlighted term if it has exactly one."""

    text: str
    term: str | None


def parallel_questions(
    roots: Mapping[str, Path], *, pages: int = PAGES, fewest_languages: int = _FEWEST_LANGUAGES, seed: int = 7
) -> Iterator[dict[str, object]]:
    """Yield questions in the format that ``reader.questions`` reads; ``roots`` are the help folders by language.

    Only pages that at least ``fewest_languages`` of the languages have are used, in a seeded order.
    """
    drawn = random.Random(seed)
    names = sorted({path.relative_to(root) for root in roots.values() for path in root.rglob("*.html")})
    drawn.shuffle(names)
    number = 0
    for name in names[:pages]:
        page = {language: _paragraphs(root / name) for language, root in roots.items() if (root / name).is_file()}
        if len(page) < max(2, fewest_languages):
            continue
        for _ in range(QUESTIONS_PER_PAGE):
            asked, shown = drawn.sample(sorted(page), 2)
            gap = drawn.random() < 0.5
            targets = _targets(page, asked, shown, gap=gap) or _targets(page, asked, shown, gap=not gap)
            if targets:
                yield _question(number, page, asked, shown, *drawn.choice(targets), drawn)
                number += 1


def _paragraphs(path: Path) -> dict[str, _Paragraph]:
    from lxml import html

    found: dict[str, _Paragraph] = {}
    tree = html.fromstring(path.read_bytes(), parser=html.HTMLParser(encoding="utf-8"))
    for element in tree.iter("p", "h1", "h2", "h3", "h4", "h5", "h6"):
        text = _plain(element)
        if text and element.get("id"):
            terms = [_plain(span) for span in element.iter("span") if span.get("class") in ("emph", "menuitem")]
            term = terms[0] if len(terms) == 1 and terms[0] and text.count(terms[0]) == 1 else None
            found.setdefault(element.get("id"), _Paragraph(text, term))
    return found


def _plain(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def _targets(
    page: Mapping[str, Mapping[str, _Paragraph]], asked: str, shown: str, *, gap: bool
) -> list[tuple[str, bool]]:
    """Return the paragraphs that make a question: short, translated, and only once on the page; each with ``gap``.

    With a gap the question lacks the paragraph's term, which must stand once in the passage.
    """
    question, passage = page[asked], page[shown]
    english = page.get("en", {})
    often = Counter(paragraph.text for paragraph in passage.values())
    whole = " ".join(paragraph.text for paragraph in passage.values())
    return [
        (place, gap)
        for place, answer in passage.items()
        if place in question
        and often[answer.text] == 1
        and _is_translated(question[place], answer)
        and (shown == "en" or _is_translated(answer, english.get(place)))
        and (asked == "en" or _is_translated(question[place], english.get(place)))
        and (
            _has_gap(question[place], asked) and _has_gap(answer, shown) and whole.count(str(answer.term)) == 1
            if gap
            else _is_short(answer.text, shown) and _is_short(question[place].text, asked)
        )
    ]


def _is_translated(paragraph: _Paragraph, other: _Paragraph | None) -> bool:
    return other is None or _without_term(paragraph) != _without_term(other)


def _without_term(paragraph: _Paragraph) -> str:
    return paragraph.text if paragraph.term is None else paragraph.text.replace(paragraph.term, _GAP)


def _is_short(text: str, language: str) -> bool:
    return 12 <= len(text) <= 45 if language in _UNSPACED else 30 <= len(text) <= 120


def _has_gap(paragraph: _Paragraph, language: str) -> bool:
    """Tell whether enough and not too much is left of a paragraph without its term."""
    if paragraph.term is None or len(paragraph.term) > 60:
        return False
    return (10 if language in _UNSPACED else 25) <= len(paragraph.text) - len(paragraph.term) <= 240


def _question(
    number: int,
    page: Mapping[str, Mapping[str, _Paragraph]],
    asked: str,
    shown: str,
    target: str,
    gap: bool,
    drawn: random.Random,
) -> dict[str, object]:
    passage, question = page[shown], page[asked][target]
    places = list(passage)
    middle = places.index(target)
    first, last = _around([len(paragraph.text) + 1 for paragraph in passage.values()], middle, shown, drawn)
    texts = [passage[place].text for place in places[first : last + 1]]
    start = sum(len(text) + 1 for text in texts[: middle - first])
    answer = passage[target].text
    if gap:
        term = str(passage[target].term)
        start, answer = start + answer.index(term), term
    return {
        "id": f"bitext-{number}",
        "lang": shown,
        "title": "",
        "context": " ".join(texts),
        "question": _without_term(question) if gap else question.text,
        "answers": [{"text": answer, "answer_start": start}],
    }


def _around(lengths: Sequence[int], middle: int, language: str, drawn: random.Random) -> tuple[int, int]:
    """Choose neighbours of ``middle`` until the passage is long enough: first and last, inclusive."""
    enough = 330 if language in _UNSPACED else 750
    first = last = middle
    while sum(lengths[first : last + 1]) < enough and (first > 0 or last < len(lengths) - 1):
        if first > 0 and (last == len(lengths) - 1 or drawn.random() < 0.5):
            first -= 1
        else:
            last += 1
    return first, last


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the questions of the help folders named on the command line."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m reader.bitext", description="Parallel paragraphs as questions.")
    parser.add_argument("roots", nargs="+", metavar="LANGUAGE=FOLDER")
    parser.add_argument("--into", required=True, type=Path, metavar="FILE.jsonl.gz")
    parser.add_argument("--pages", type=int, default=PAGES)
    given = parser.parse_args(arguments)
    roots = {language: Path(folder) for language, _, folder in (each.partition("=") for each in given.roots)}
    for folder in roots.values():
        if not folder.is_dir():
            raise ReaderError(f"{folder}: no such folder; give LANGUAGE=FOLDER with the help's pages")
    fewest = min(_FEWEST_LANGUAGES, len(roots))
    with gzip.open(given.into, "wt", encoding="utf-8") as handle:
        for question in parallel_questions(roots, pages=given.pages, fewest_languages=fewest):
            handle.write(json.dumps(question, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
