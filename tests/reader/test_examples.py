import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from corpora.errors import CorpusError
from reader.errors import ReaderError
from reader.examples import WindowMaker, split_sources, tokens_of_span
from reader.recipe import read_recipe

RECIPE = """
seed = 5
tokens = 100000
learning_rate = 1e-3
head_learning_rate = 1e-3
weight_decay = 0.0
warmup = 0.1
batch_tokens = 64
frozen_layers = 1
negatives = {negatives}
titles = 0.0
lengths = [{length}]
length_weights = [1.0]
question_tokens = 8
[held_out]
english = 0
other_fraction = 0.0
other_most = 0
per_article = 1
[[source]]
file = "letters.en.jsonl.gz"
"""

CONTEXTS = ["a b c d e f g h i j", "k l m n o p q r s t"]


@pytest.fixture
def tokenizer() -> Tokenizer:
    words = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    words |= {letter: place for place, letter in enumerate("abcdefghijklmnopqrst", start=4)}
    made = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return made


def write_data(folder: Path, rows: list[tuple[str, str]]) -> None:
    """Write questions (answer, context), all of one article."""
    lines = [
        {
            "id": f"q{place}",
            "lang": "en",
            "title": "Letters",
            "context": context,
            "question": "a b",
            "answers": [{"text": answer, "answer_start": context.index(answer)}],
        }
        for place, (answer, context) in enumerate(rows)
    ]
    with gzip.open(folder / "letters.en.jsonl.gz", "wt", encoding="utf-8") as handle:
        handle.write("".join(json.dumps(line) + "\n" for line in lines))


def windows_of(folder: Path, tokenizer: Tokenizer, *, negatives: float, length: int) -> list[list[object]]:
    path = folder / "recipe.toml"
    path.write_text(RECIPE.format(negatives=negatives, length=length))
    recipe = read_recipe(path)
    made = WindowMaker(tokenizer, recipe).windows(split_sources(recipe, folder).train, lambda text: None)
    return [[window.ids.tolist(), window.passage_start, window.start, window.end] for window in made]


def test_a_window_by_hand(tmp_path: Path, tokenizer: Tokenizer) -> None:
    write_data(tmp_path, [("c d", CONTEXTS[0])])
    passage = list(range(4, 14))
    assert windows_of(tmp_path, tokenizer, negatives=0.0, length=32) == [[[0, 4, 5, 2, 2, *passage, 2], 5, 7, 8]]


def test_a_long_passage_is_cropped_around_its_answer(tmp_path: Path, tokenizer: Tokenizer) -> None:
    write_data(tmp_path, [(letter, CONTEXTS[0]) for letter in "abcdefghij"])
    for ids, start, first, last in windows_of(tmp_path, tokenizer, negatives=0.0, length=10):
        assert isinstance(ids, list)
        assert isinstance(start, int)
        assert isinstance(first, int)
        assert len(ids) == 10
        assert start == 5
        assert first == last
        assert start <= first < len(ids) - 1
        assert ids[-1] == 2


def test_negatives_show_another_passage_of_the_article_and_point_at_cls(tmp_path: Path, tokenizer: Tokenizer) -> None:
    write_data(tmp_path, [("c", CONTEXTS[0]), ("m", CONTEXTS[1])])
    found = windows_of(tmp_path, tokenizer, negatives=1.0, length=32)
    other = [[0, 4, 5, 2, 2, *range(14, 24), 2], 5, 0, 0]
    one = [[0, 4, 5, 2, 2, *range(4, 14), 2], 5, 0, 0]
    assert sorted(found, key=str) == sorted([other, one], key=str)


def test_retrieved_negatives_show_the_nearest_passage_that_does_not_hold_the_answer(
    tmp_path: Path, tokenizer: Tokenizer
) -> None:
    write_data(tmp_path, [("c", CONTEXTS[0]), ("m", CONTEXTS[1]), ("n", "k l m n")])
    path = tmp_path / "recipe.toml"
    path.write_text("retrieved_negatives = 1.0\n" + RECIPE.format(negatives=0.0, length=32))
    recipe = read_recipe(path)
    asked: list[tuple[str, ...]] = []

    def nearest(questions: Sequence[str], passages: Sequence[str], k: int) -> list[list[int]]:
        asked.append(tuple(passages))
        return [[passages.index(CONTEXTS[1]), passages.index(CONTEXTS[0])] for _ in questions]

    made = WindowMaker(tokenizer, recipe, nearest).windows(split_sources(recipe, tmp_path).train, lambda text: None)
    assert [sorted(passages) for passages in asked] == [sorted([*CONTEXTS, "k l m n"])]
    # "c" is not in the nearest passage; "m" and "n" are, and so the next one is shown.
    assert sorted(window.ids.tolist()[5:-1] for window in made) == sorted(
        [[*range(14, 24)], [*range(4, 14)], [*range(4, 14)]]
    )
    assert {(window.start, window.end) for window in made} == {(0, 0)}
    with pytest.raises(ReaderError, match="retrieved_negatives"):
        WindowMaker(tokenizer, recipe).windows(split_sources(recipe, tmp_path).train, lambda text: None)


def test_an_answer_that_no_window_holds_is_left_out(tmp_path: Path, tokenizer: Tokenizer) -> None:
    write_data(tmp_path, [("a b c d e f g h", CONTEXTS[0]), ("a", CONTEXTS[0])])
    assert len(windows_of(tmp_path, tokenizer, negatives=0.0, length=10)) == 1


def test_tokens_of_a_span() -> None:
    offsets = [(0, 3), (3, 6), (7, 9)]
    assert tokens_of_span(offsets, 4, 8) == (1, 2)
    assert tokens_of_span(offsets, 3, 6) == (1, 1)
    assert tokens_of_span(offsets, 6, 7) is None


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("tokens = 100000", 'tokens = "many"', "tokens is 'many', not int"),
        ("tokens = 100000", "tokens = true", "tokens is True, not int"),
        ("lengths = [32]", "lengths = 32", "lengths is 32, not tuple"),
        ("lengths = [32]", 'lengths = ["32"]', "lengths is .'32'., not tuple"),
        ("lengths = [32]", "lengths = [32, 64]", "lengths needs as many length_weights"),
        ("english = 0", "english = 0.5", "english is 0.5, not int"),
        ("[held_out]", "[[held_out]]", "stands where a table of settings belongs"),
        ('file = "letters.en.jsonl.gz"', "file = 3", "file is 3, not str"),
    ],
)
def test_a_mistyped_setting_is_named(tmp_path: Path, written: str, instead: str, told: str) -> None:
    text = RECIPE.format(negatives=0.1, length=32)
    assert written in text
    path = tmp_path / "recipe.toml"
    path.write_text(text.replace(written, instead))
    with pytest.raises(ReaderError, match=rf"recipe\.toml: .*{told}"):
        read_recipe(path)


def test_a_missing_file_and_an_unknown_setting_are_named(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.format(negatives=0.1, length=32))
    with pytest.raises(CorpusError, match=r"letters\.en\.jsonl\.gz"):
        split_sources(read_recipe(path), tmp_path)
    path.write_text("momentum = 0.9\n" + RECIPE.format(negatives=0.1, length=32))
    with pytest.raises(ReaderError, match="unknown setting momentum"):
        read_recipe(path)
    path.write_text("seed = 1\n")
    with pytest.raises(ReaderError, match="missing"):
        read_recipe(path)


def test_a_source_that_is_not_held_out_is_trained_on_whole(tmp_path: Path) -> None:
    write_data(tmp_path, [("c", CONTEXTS[0]), ("m", CONTEXTS[1])])
    path = tmp_path / "recipe.toml"
    text = RECIPE.format(negatives=0.0, length=32).replace("english = 0", "english = 2")
    path.write_text(text)
    assert split_sources(read_recipe(path), tmp_path).train == [[]]
    path.write_text(text + "held_out = false\n")
    split = split_sources(read_recipe(path), tmp_path)
    assert (len(split.train[0]), split.dev) == (2, {})


def test_a_file_can_be_held_out_whole_under_its_own_name(tmp_path: Path) -> None:
    write_data(tmp_path, [("c", CONTEXTS[0]), ("m", CONTEXTS[1])])
    (tmp_path / "notes.mul.dev.jsonl.gz").write_bytes((tmp_path / "letters.en.jsonl.gz").read_bytes())
    path = tmp_path / "recipe.toml"
    path.write_text(
        RECIPE.format(negatives=0.0, length=32).replace("[[source]]", 'files = ["notes.mul.dev.jsonl.gz"]\n[[source]]')
    )
    split = split_sources(read_recipe(path), tmp_path)
    assert [len(pool) for pool in split.train] == [2]
    assert {name: [question.id for question in pool] for name, pool in split.dev.items()} == {
        "en": [],
        "notes": ["q0", "q1"],
    }
