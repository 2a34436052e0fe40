"""``spanglot evaluate retrieval`` and ``open`` over a small index that is made for them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

CANALS = {
    "en": [
        ("The canal was opened in 1869.", "q1", "When was the canal opened?", "1869"),
        ("The organ has 40 pipes.", "q2", "How many pipes has the organ?", "40"),
        # The reader knows numbers alone.
        ("The canal was opened in 1869.", "q3", "What was opened in 1869?", "canal"),
    ],
    "de": [
        ("Der Kanal wurde 1869 eröffnet.", "q1", "Wann wurde der Kanal eröffnet?", "1869"),
        ("Die Orgel hat 40 Pfeifen.", "q2", "Wie viele Pfeifen hat die Orgel?", "40"),
    ],
}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Write the questions of each language, with parallel ids."""
    written = []
    for language, rows in CANALS.items():
        paragraphs = [
            {
                "context": context,
                "qas": [
                    {
                        "id": name,
                        "question": question,
                        "answers": [{"text": answer, "answer_start": context.index(answer)}],
                    }
                ],
            }
            for context, name, question, answer in rows
        ]
        path = tmp_path / f"canals.{language}.json"
        path.write_text(json.dumps({"data": [{"title": "", "paragraphs": paragraphs}]}), encoding="utf-8")
        written.append(str(path))
    return written


def test_the_whole_path(run: Callable[..., Any], files: list[str]) -> None:
    outcome = run("evaluate", "open", *files, "--json")
    assert outcome.exit_code == 0
    written = json.loads(outcome.stdout)
    assert (written["by_language"]["de"]["f1"], written["by_language"]["en"]["f1"]) == (100.0, 66.67)
    assert written["average"]["f1"] == 83.33
    assert written["by_language"]["en"]["outcomes"]["not_found"] == 0.3333
    assert (written["by_language"]["en"]["retrieved"], written["by_language"]["en"]["read"]) == (1.0, 1.0)
    assert (written["unanswerable"], written["missing"], written["contaminated"]) == (0, 0, ["canals"])
    assert outcome.stderr.startswith("common-words was trained on canals")


def test_the_table_of_the_whole_path_has_a_row_for_each_language(run: Callable[..., Any], files: list[str]) -> None:
    rows = [line.split() for line in run("evaluate", "open", *files).stdout.splitlines()]
    assert ["en", "3", "66.7", "66.7", "100.0", "100.0", "100.0"] in rows
    assert ["average", "5", "83.3", "83.3", "100.0", "100.0", "100.0"] in rows
    assert ["language", "right", "not", "retrieved", "not", "read", "not", "found", "not", "ranked"] in rows
    assert ["en", "66.7", "0.0", "0.0", "33.3", "0.0"] in rows
    assert ["average", "83.3", "0.0", "0.0", "16.7", "0.0"] in rows


def test_a_sample_is_asked_of_all_paragraphs(run: Callable[..., Any], files: list[str]) -> None:
    written = json.loads(run("evaluate", "open", *files, "--sample", "1", "--json").stdout)
    assert {language: one["questions"] for language, one in written["by_language"].items()} == {"de": 1, "en": 1}


def test_across_languages_every_translation_is_right(run: Callable[..., Any], files: list[str], tmp_path: Path) -> None:
    chart = tmp_path / "recall.svg"
    outcome = run("evaluate", "retrieval", *files, "--cross", "--chart", str(chart), "--json")
    written = json.loads(outcome.stdout)
    by_pair = written["by_pair"]
    # q3 has no German paragraph.
    assert by_pair["en"]["en"]["questions"] == 3
    assert by_pair["en"]["de"]["questions"] == by_pair["de"]["en"]["questions"] == 2
    assert by_pair["en"]["en"]["recall@1"] == by_pair["de"]["de"]["recall@1"] == 1.0
    assert by_pair["de"]["en"]["recall@1"] == 0.0
    assert by_pair["de"]["en"]["recall@20"] == 1.0
    # All four paragraphs are found for every question.
    assert written["average"]["first_10"] == {"de": 0.5, "en": 0.5}
    texts = set(re.findall(r"<text[^>]*>([^<]*)</text>", unescape(chart.read_text(encoding="utf-8"))))
    assert {"recall@20, hybrid", "language of the question", "language of the passage", "100"} <= texts


def test_the_tables_across_languages(run: Callable[..., Any], files: list[str]) -> None:
    shown = run("evaluate", "retrieval", *files, "--cross").stdout
    rows = [line.split() for line in shown.splitlines()]
    assert ["en", "0", "100"] in rows  # recall@1: the paragraph in the question's own language is first
    assert ["en", "50", "50"] in rows
    words = " ".join(shown.split())
    assert "Percent recall@1 of the paragraph. Mean within a language 100.0, across languages 0.0." in words
    assert "Percent of the first 10 passages in that language." in words


def test_within_a_language_recall_is_drawn_as_bars(run: Callable[..., Any], files: list[str], tmp_path: Path) -> None:
    chart = tmp_path / "recall.svg"
    outcome = run("evaluate", "retrieval", *files, "--mode", "lexical", "--chart", str(chart), "--json")
    assert json.loads(outcome.stdout)["by_pair"] == {}
    assert "recall@20, lexical" in chart.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["open", "retrieval"])
def test_an_index_that_is_not_there_is_one_line(
    run: Callable[..., Any], files: list[str], tmp_path: Path, command: str
) -> None:
    outcome = run("evaluate", command, files[0].replace("canals", "unread"), "--index", str(tmp_path / "none"))
    assert "unread.en.json: no such file" in outcome.error(1)
    Path(files[0]).rename(tmp_path / "new.en.json")
    outcome = run("evaluate", command, str(tmp_path / "new.en.json"), "--index", str(tmp_path / "none"))
    assert str(tmp_path / "none") in outcome.error(outcome.exit_code)
    assert outcome.exit_code in (1, 2)
