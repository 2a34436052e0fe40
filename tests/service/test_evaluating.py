"""``spanglot evaluate reader``: what is read, and how the figures are laid out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest
from rich.console import Console

from corpora.documents import Passage
from corpora.errors import CorpusError
from reader.evaluation import evaluate_reader
from reader.settings import XLM_ROBERTA_PAIR, ReaderSettings
from reader.spans import AnswerSpan
from service.cli import main
from service.commands import evaluating, evaluation_tables


class FirstWordsReader:
    """A reader that always answers with the first eight characters, and was trained on XQuAD."""

    name = "first-words"
    settings = ReaderSettings(name=name, pair=XLM_ROBERTA_PAIR, trained_on=("squad1", "XQuAD-founding"))

    def read_batch(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], *, top_k: int = 5
    ) -> list[list[AnswerSpan]]:
        return [
            [AnswerSpan(passage=passage, start=0, end=8, score=0.0, no_answer_score=0.0) for passage in found][:top_k]
            for found in passages
        ]


def questions_file(path: Path, *answers: tuple[str, int]) -> str:
    context = "Big Bens of the Rhine"
    paragraphs = [
        {
            "context": context,
            "qas": [
                {"id": f"q{number}", "question": "Which?", "answers": [{"text": text, "answer_start": start}]}
                for number, (text, start) in enumerate(answers)
            ]
            + [{"id": "none", "question": "None?", "answers": [], "is_impossible": True}],
        }
    ]
    path.write_text(json.dumps({"data": [{"title": "T", "paragraphs": paragraphs}]}), encoding="utf-8")
    return str(path)


def test_the_table_has_a_row_for_each_language_and_the_average(tmp_path: Path) -> None:
    files = [
        questions_file(tmp_path / "set.en.json", ("Big Bens", 0), ("Big", 0)),
        questions_file(tmp_path / "set.de.json", ("Rhine", 16)),
    ]
    evaluation = evaluate_reader(FirstWordsReader(), evaluating.read_questions(files))
    console = Console(width=80, force_terminal=False)
    with console.capture() as captured:
        console.print(evaluation_tables.evaluation_table(evaluation))
    rows = [line.split() for line in captured.get().splitlines()]
    assert ["en", "2", "83.3", "50.0", "83.3", "50.0"] in rows
    assert ["de", "1", "0.0", "0.0", "0.0", "0.0"] in rows
    assert ["average", "3", "41.7", "25.0", "41.7", "25.0"] in rows
    assert "2 without an answer left out" in captured.get()


def test_a_sample_is_of_each_language(tmp_path: Path) -> None:
    files = [
        questions_file(tmp_path / "set.en.json", ("Big Bens", 0), ("Big", 0), ("Rhine", 16)),
        questions_file(tmp_path / "set.de.json", ("Rhine", 16)),
    ]
    assert [question.language for question in evaluating.sampled(evaluating.read_questions(files), 2)] == [
        "de",
        "en",
        "en",
    ]


def test_files_without_a_question_to_ask_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"set\.en\.json: no question with an expected answer"):
        evaluating.read_questions([questions_file(tmp_path / "set.en.json")])


@pytest.fixture
def first_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the reader above take the place of the one that would be loaded."""
    monkeypatch.setattr("reader.load_reader", lambda path=None, **options: FirstWordsReader())
    monkeypatch.setattr("service.commands.quiet.quiet_libraries", lambda: None)


@pytest.mark.usefixtures("first_words")
def test_a_set_that_the_reader_was_trained_on_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [questions_file(tmp_path / f"{name}.en.json", ("Big", 0)) for name in ("Xquad", "mlqa")]
    assert main(["evaluate", "reader", *files, "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["contaminated"] == ["xquad"]
    assert captured.err.startswith("first-words was trained on xquad: the figures say nothing about unseen texts; ")
    assert captured.err.count("\n") == 1


@pytest.mark.usefixtures("first_words")
def test_a_set_that_the_reader_has_not_seen_is_no_news(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "reader", questions_file(tmp_path / "mlqa.en.json", ("Big", 0)), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["contaminated"] == []
    assert captured.err == ""


@pytest.mark.usefixtures("first_words")
def test_charts_are_drawn_by_language_and_across_languages(tmp_path: Path) -> None:
    files = [
        questions_file(tmp_path / "set.en.json", ("Big Bens", 0), ("Big", 0)),
        questions_file(tmp_path / "set.de.json", ("Rhine", 16)),
    ]
    bars, cells = tmp_path / "bars.svg", tmp_path / "cells.svg"
    assert main(["evaluate", "reader", *files, "--chart", str(bars)]) == 0
    assert texts_of(bars) >= {"F1 of first-words, MLQA's rules", "en", "de", "83.3", "0.0", "mean 41.7"}
    assert main(["evaluate", "reader", *files, "--cross", "--chart", str(cells)]) == 0
    # q0 is "Big Bens" in English and "Rhine" in German, whoever asks; q1, "Big", is in English only.
    assert texts_of(cells) >= {"language of the question", "language of the passage", "100", "0", "83"}


def texts_of(chart: Path) -> set[str]:
    return set(re.findall(r"<text[^>]*>([^<]*)</text>", unescape(chart.read_text(encoding="utf-8"))))


@pytest.mark.usefixtures("first_words")
def test_a_chart_that_cannot_be_written_is_refused_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = questions_file(tmp_path / "set.en.json", ("Big Bens", 0))
    assert main(["evaluate", "reader", file, "--chart", str(tmp_path / "chart.pdf")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "chart.pdf: charts are written as .svg or .png" in captured.err


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["evaluate", "reader", "missing.json"], 1, "missing.json: no such file"),
        (["evaluate", "reader", "table.csv"], 1, "table.csv: give questions as"),
        (["evaluate", "reader", "x.json", "--sample", "0"], 2, "--sample"),
        (["evaluate", "reader"], 2, "FILE"),
        (["evaluate"], 2, "Missing command"),
    ],
)
def test_mistakes_are_one_line_on_stderr(
    arguments: list[str], exit_code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
