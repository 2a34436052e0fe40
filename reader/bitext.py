"""Parallel paragraphs as training questions in one language on passages in another.

LibreOffice's help (MPL-2.0; Debian packages ``libreoffice-help-*``) is translated paragraph by paragraph: the pages of
all languages have the same names, and their paragraphs the same ids. A paragraph in one language is put as the
"question", its page in another language is the passage, and the parallel paragraph there the answer. That is no
question, but it teaches the reader to find in one language what was said in another::

    python -m reader.bitext en=HELP/en-US el=HELP/el de=HELP/de --into bitext.mul.train.jsonl.gz
"""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reader.errors import ReaderError

PAGES, QUESTIONS_PER_PAGE = 900, 6
_FEWEST_LANGUAGES = 8
_UNSPACED = ("zh", "ja")


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
            targets = _targets(page, asked, shown)
            if targets:
                yield _question(number, page, asked, shown, drawn.choice(targets), drawn)
                number += 1


def _paragraphs(path: Path) -> dict[str, str]:
    from lxml import html

    found: dict[str, str] = {}
    tree = html.fromstring(path.read_bytes(), parser=html.HTMLParser(encoding="utf-8"))
    for element in tree.iter("p", "h1", "h2", "h3", "h4", "h5", "h6"):
        text = " ".join(element.text_content().split())
        if text and element.get("id"):
            found.setdefault(element.get("id"), text)
    return found


def _targets(page: Mapping[str, Mapping[str, str]], asked: str, shown: str) -> list[str]:
    """Return the paragraphs that make a question: short, translated, and only once on the page."""
    question, passage = page[asked], page[shown]
    english = page.get("en", {})
    often = Counter(passage.values())
    return [
        place
        for place, text in passage.items()
        if place in question
        and _is_short(text, shown)
        and _is_short(question[place], asked)
        and question[place] != text
        and often[text] == 1
        and (shown == "en" or text != english.get(place))
        and (asked == "en" or question[place] != english.get(place))
    ]


def _is_short(text: str, language: str) -> bool:
    return 12 <= len(text) <= 45 if language in _UNSPACED else 30 <= len(text) <= 120


def _question(
    number: int,
    page: Mapping[str, Mapping[str, str]],
    asked: str,
    shown: str,
    target: str,
    drawn: random.Random,
) -> dict[str, object]:
    passage = page[shown]
    places = list(passage)
    middle = places.index(target)
    first, last = _around([len(text) + 1 for text in passage.values()], middle, shown, drawn)
    texts = [passage[place] for place in places[first : last + 1]]
    start = sum(len(text) + 1 for text in texts[: middle - first])
    return {
        "id": f"bitext-{number}",
        "lang": shown,
        "title": "",
        "context": " ".join(texts),
        "question": page[asked][target],
        "answers": [{"text": passage[target], "answer_start": start}],
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
