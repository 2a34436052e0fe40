"""The founding recipe's data, made from a parallel set of three articles in three languages."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from reader.errors import ReaderError
from reader.founding import file_name, main, paired_rows, read_parallel, split_parallel
from reader.questions import GoldQuestion, read_questions

LANGUAGES = ("de", "el", "zh")
PARTS = ("train", "dev", "test")
WORDS = {"de": "Haus Nummer", "el": "σπίτι αριθμός", "zh": "第号房子"}
ARTICLES, PARAGRAPHS, QUESTIONS = 3, 2, 2


def write_set(folder: Path, languages: tuple[str, ...] = LANGUAGES, articles: int = ARTICLES) -> Path:
    """Write parallel files; every answer is a number that stands once in its paragraph, in each language elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    for language in languages:
        data = [
            {"title": f"Article_{number}", "paragraphs": [paragraph(language, number, n) for n in range(PARAGRAPHS)]}
            for number in range(articles)
        ]
        (folder / f"xquad.{language}.json").write_text(json.dumps({"data": data}), encoding="utf-8")
    return folder


def paragraph(language: str, article: int, number: int) -> dict[str, object]:
    answers = [f"{article}{number}{question}7" for question in range(QUESTIONS)]
    context = f"{WORDS[language]} " + f" {WORDS[language]} ".join(answers)
    return {
        "context": context,
        "qas": [
            {
                "id": answer,
                "question": f"{WORDS[language]} {answer}?",
                "answers": [{"text": answer, "answer_start": context.index(answer)}],
            }
            for answer in answers
        ],
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_set(tmp_path / "xquad")


@pytest.fixture
def made(source: Path, tmp_path: Path) -> dict[str, list[GoldQuestion]]:
    """Return the questions of each part, written in full by the command and read back."""
    main([str(source), "--into", str(tmp_path / "made")])
    return {part: list(read_questions(tmp_path / "made" / file_name(part))) for part in PARTS}


def test_every_pair_of_languages_is_there_with_every_question(made: dict[str, list[GoldQuestion]]) -> None:
    for questions in made.values():
        pairs = Counter((each.question_language, each.language) for each in questions)
        assert pairs == {(asked, shown): PARAGRAPHS * QUESTIONS for asked in LANGUAGES for shown in LANGUAGES}
        assert len({each.id for each in questions}) == len(questions)


def test_no_article_paragraph_or_question_stands_in_two_parts(made: dict[str, list[GoldQuestion]]) -> None:
    for of in (
        lambda each: each.title.partition(" [")[0],
        lambda each: each.context,
        lambda each: each.id.partition("-")[0],
    ):
        seen = [{of(each) for each in made[part]} for part in PARTS]
        assert all(seen)
        assert sum(map(len, seen)) == len(set().union(*seen))
    assert {each.id.partition("-")[0] for part in PARTS for each in made[part]} == {
        f"{article}{number}{question}7"
        for article in range(ARTICLES)
        for number in range(PARAGRAPHS)
        for question in range(QUESTIONS)
    }


def test_words_and_offsets_are_those_of_the_two_languages(made: dict[str, list[GoldQuestion]]) -> None:
    for each in (question for questions in made.values() for question in questions):
        key, asked, shown = each.id.split("-")
        assert (each.question_language, each.language) == (asked, shown)
        assert each.question == f"{WORDS[asked]} {key}?"
        assert each.context.startswith(WORDS[shown])
        (answer,) = each.answers
        assert answer.text == each.context[answer.start : answer.end] == key


def test_the_paragraph_is_never_beside_its_translation_under_one_title(made: dict[str, list[GoldQuestion]]) -> None:
    languages: dict[str, set[str | None]] = {}
    for each in (question for questions in made.values() for question in questions):
        languages.setdefault(each.title, set()).add(each.language)
    assert {len(found) for found in languages.values()} == {1}


@pytest.mark.parametrize(("size", "numbers"), [(18, {2}), (22, {2, 3}), (3, {0, 1}), (1000, {4})])
def test_a_sample_has_as_many_of_each_pair_as_goes(source: Path, size: int, numbers: set[int]) -> None:
    parallel = read_parallel(source)
    ids = split_parallel(parallel)["train"]
    rows = list(paired_rows(parallel, ids, size))
    pairs = Counter((row["question_lang"], row["lang"]) for row in rows)
    assert len(rows) == min(size, 36)
    assert {pairs[asked, shown] for asked in LANGUAGES for shown in LANGUAGES} == numbers
    assert list(paired_rows(parallel, ids, size)) == rows
    if size < 36:
        assert list(paired_rows(parallel, ids, size, seed=4)) != rows


def test_the_files_are_the_same_every_time(source: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        main([str(source), "--into", str(tmp_path / name), "--train", "20", "--dev", "9", "--test", "5"])
    for part, size in zip(PARTS, (20, 9, 5), strict=True):
        assert len(list(read_questions(tmp_path / "one" / file_name(part)))) == size
        assert (tmp_path / "one" / file_name(part)).read_bytes() == (tmp_path / "two" / file_name(part)).read_bytes()


def test_dev_and_test_have_a_tenth_each_of_many_articles(tmp_path: Path) -> None:
    parts = split_parallel(read_parallel(write_set(tmp_path / "many", articles=30)))
    assert {part: len(ids) for part, ids in parts.items()} == {"train": 96, "dev": 12, "test": 12}


def test_a_question_that_one_language_lacks_is_left_out(source: Path) -> None:
    whole = json.loads((source / "xquad.el.json").read_text(encoding="utf-8"))
    del whole["data"][0]["paragraphs"][0]["qas"][0]
    (source / "xquad.el.json").write_text(json.dumps(whole), encoding="utf-8")
    assert len(read_parallel(source)) == ARTICLES * PARAGRAPHS * QUESTIONS - 1


def test_sets_that_cannot_be_paired_or_split_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"one: 1 languages in files xquad\.LANG\.json; give a folder with two"):
        read_parallel(write_set(tmp_path / "one", languages=("de",)))
    with pytest.raises(ReaderError, match="2 articles cannot be split into train, dev, test; give a set with three"):
        split_parallel(read_parallel(write_set(tmp_path / "two", articles=2)))
    apart = write_set(tmp_path / "apart", languages=("de", "el"))
    text = (apart / "xquad.el.json").read_text(encoding="utf-8")
    (apart / "xquad.el.json").write_text(text.replace('"id": "', '"id": "other'), encoding="utf-8")
    with pytest.raises(ReaderError, match="apart: no question's id stands in all of de, el; give translations"):
        read_parallel(apart)


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        ([], 1, "0 languages in files xquad.LANG.json"),
        (["--train", "0"], 2, "--train is 0; give a number of rows from 1"),
    ],
)
def test_mistakes_are_said_and_end_the_command(
    more: list[str], code: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), "--into", str(tmp_path / "made"), *more])
    assert ended.value.code == code
    assert message in capsys.readouterr().err
