"""A whole training run on a base encoder of two small layers."""

import gzip
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel

from corpora import Passage
from reader import ReaderError, load_reader
from reader.fine_tuning import default_recipe, fine_tune
from reader.recipe import read_recipe

LETTERS = "abcdefghijklmnopqrst"
RECIPE = """
seed = 5
tokens = 4000
learning_rate = 1e-3
head_learning_rate = 1e-3
weight_decay = 0.0
warmup = 0.1
batch_tokens = 128
frozen_layers = {frozen}
negatives = 0.2
titles = 0.5
lengths = [24]
length_weights = [1.0]
question_tokens = 8
[held_out]
english = 1
other_fraction = 0.0
other_most = 0
per_article = 1
[[source]]
file = "letters.en.jsonl.gz"
repeat = 20
"""


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a tiny base encoder and name it to everything that asks for one."""
    torch.manual_seed(0)
    directory = tmp_path / "base"
    directory.mkdir()
    config = BertConfig(
        vocab_size=24,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        pad_token_id=1,
    )
    config.save_pretrained(directory)
    save_file(BertModel(config, add_pooling_layer=False).state_dict(), directory / "model.safetensors")
    words = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    words |= {letter: place for place, letter in enumerate(LETTERS, start=4)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(directory / "tokenizer.json"))
    monkeypatch.setenv("SPANGLOT_BASE", str(directory))
    return directory


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    lines = []
    for article in range(4):
        for paragraph in range(2):
            first = 5 * article + 2 * paragraph
            context = " ".join((LETTERS * 2)[first : first + 12])
            lines.append(
                {
                    "id": f"{article}-{paragraph}",
                    "lang": "en",
                    "title": f"Article {article}",
                    "context": context,
                    "question": context[0],
                    "answers": [{"text": context[2:5], "answer_start": 2}],
                }
            )
    with gzip.open(folder / "letters.en.jsonl.gz", "wt", encoding="utf-8") as handle:
        handle.write("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def recipe(folder: Path, frozen: int) -> Path:
    path = folder / f"recipe-{frozen}.toml"
    path.write_text(RECIPE.format(frozen=frozen))
    return path


def test_a_run_gives_a_reader_that_reads(base: Path, data: Path, tmp_path: Path) -> None:
    said: list[str] = []
    report = fine_tune(recipe(tmp_path, 1), data, tmp_path / "out", name="letters", device="cpu", say=said.append)
    assert report.tokens >= 2_000
    assert any("windows" in line for line in said)
    weights = load_file(tmp_path / "out" / "model.safetensors")
    assert {name.split(".")[3] for name in weights if "layer" in name and "qa" not in name} == {"1"}
    assert not any("embeddings" in name for name in weights)
    reader = load_reader(tmp_path / "out", device="cpu")
    assert (reader.name, reader.settings.trained_on) == ("letters", ("letters",))
    passage = Passage(id="p", document_id="d", text="k l m n o p", start=0)
    assert all(span.text in passage.text for span in reader.read("k", [passage]))


def test_going_on_keeps_what_the_first_run_changed(base: Path, data: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    fine_tune(recipe(tmp_path, 0), data, first, name="letters", device="cpu")
    fine_tune(recipe(tmp_path, 2), data, second, name="letters", start=first, device="cpu")
    before, after = load_file(first / "model.safetensors"), load_file(second / "model.safetensors")
    assert set(before) == set(after)
    body = [name for name in before if "encoder.layer" in name]
    assert body
    assert all(torch.equal(before[name], after[name]) for name in body)
    assert any(not torch.equal(before[name], after[name]) for name in before if name.startswith("qa_outputs"))


def test_a_recipe_without_sources_is_refused_before_anything_is_trained(base: Path, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.format(frozen=1).partition("[[source]]")[0])
    with pytest.raises(ReaderError, match=r"recipe\.toml: its sources give nothing to train on"):
        fine_tune(path, data, tmp_path / "out", name="letters", device="cpu")
    assert not (tmp_path / "out").exists()


def test_a_start_without_settings_is_refused_before_anything_is_trained(base: Path, data: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    fine_tune(recipe(tmp_path, 1), data, first, name="letters", device="cpu")
    (first / "reader.json").unlink()
    with pytest.raises(ReaderError, match=r"reader\.json"):
        fine_tune(recipe(tmp_path, 1), data, tmp_path / "second", name="letters", start=first, device="cpu")
    assert not (tmp_path / "second").exists()


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="nowhere: no such directory"):
        fine_tune(default_recipe(), tmp_path / "nowhere", tmp_path / "out", name="letters")


@pytest.mark.parametrize("path", sorted(default_recipe().parent.glob("*.toml")), ids=lambda path: path.stem)
def test_the_shipped_recipes_are_read(path: Path) -> None:
    read = read_recipe(path)
    assert read.sources
    assert len(read.lengths) == len(read.length_weights)
