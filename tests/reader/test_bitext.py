from pathlib import Path

import pytest

from reader.bitext import main, parallel_questions
from reader.errors import ReaderError
from reader.questions import read_questions

ENGLISH = [
    ("hd_1", "Frame Bar"),
    ("par_1", "Centers the selected objects horizontally on the page."),
    ("par_2", "Writer"),
    ("par_3", "Inserts a row below the row where the cursor stands."),
]
GERMAN = [
    ("hd_1", "Rahmenleiste"),
    ("par_1", "Zentriert die ausgewählten Objekte waagerecht auf der Seite."),
    ("par_2", "Writer"),
    ("par_3", "Inserts a row below the row where the cursor stands."),  # was never translated
]


def write_page(folder: Path, paragraphs: list[tuple[str, str]]) -> Path:
    folder.mkdir(parents=True)
    body = "".join(f'<p id="{place}">{text.replace("Seite", "<em>Seite</em>")}</p>\n' for place, text in paragraphs)
    (folder / "main.html").write_text(f"<html><body>{body}<p>no id</p></body></html>", encoding="utf-8")
    return folder


@pytest.fixture
def roots(tmp_path: Path) -> dict[str, Path]:
    return {"en": write_page(tmp_path / "en", ENGLISH), "de": write_page(tmp_path / "de", GERMAN)}


def test_a_translated_paragraph_asks_for_its_parallel(roots: dict[str, Path]) -> None:
    made = list(parallel_questions(roots, fewest_languages=2))
    assert {(each["lang"], each["question"]) for each in made} == {("de", ENGLISH[1][1]), ("en", GERMAN[1][1])}
    for each in made:
        context = each["context"]
        assert context == " ".join(text for _, text in (GERMAN if each["lang"] == "de" else ENGLISH))


def test_a_highlighted_term_is_left_out_of_the_question_and_is_the_answer(tmp_path: Path) -> None:
    english = '<p id="p">Press <span class="emph">Insert Rows</span> to put empty rows above the cursor.</p>'
    german = '<p id="p">Drücken Sie <span class="emph">Zeilen einfügen</span>, um leere Zeilen einzufügen.</p><p>!</p>'
    roots = {}
    for language, body in {"en": english, "de": german}.items():
        roots[language] = tmp_path / language
        roots[language].mkdir()
        (roots[language] / "rows.html").write_text(body, encoding="utf-8")
    made = [each for each in parallel_questions(roots, fewest_languages=2) if "…" in str(each["question"])]
    assert {(each["lang"], each["question"], *(a["text"] for a in each["answers"])) for each in made} == {
        ("de", "Press … to put empty rows above the cursor.", "Zeilen einfügen"),
        ("en", "Drücken Sie …, um leere Zeilen einzufügen.", "Insert Rows"),
    }
    for each in made:
        (answer,) = each["answers"]
        assert each["context"][answer["answer_start"] :].startswith(answer["text"])


def test_the_file_is_one_that_training_reads(roots: dict[str, Path], tmp_path: Path) -> None:
    target = tmp_path / "bitext.mul.train.jsonl.gz"
    main([*(f"{language}={root}" for language, root in roots.items()), "--into", str(target)])
    questions = list(read_questions(target))
    assert questions
    for question in questions:
        (answer,) = question.answers
        assert question.context[answer.start : answer.end] == answer.text
        assert answer.text != question.question


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="nowhere: no such folder"):
        main([f"en={tmp_path}/nowhere", "--into", str(tmp_path / "x.jsonl.gz")])
