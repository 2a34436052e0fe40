"""Small real parts for the reader: a BPE vocabulary learned from our own sentences, and seeded XLM checkpoints."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import XLMConfig, XLMForQuestionAnswering, XLMForQuestionAnsweringSimple, XLMTokenizer

from encoder.compute import Compute
from reader.alignment import XlmPieces, load_xlm_tokenizer
from reader.engine import Engine
from reader.network import ReaderNetwork
from reader.reading import XlmReader
from reader.xlm import load_xlm_network, load_xlm_reader, read_config

SENTENCES = {
    "ar": "يعبر النهر الطويل المدينة القديمة، وفي المدينة جسر واحد من الحجر.",
    "de": "Der lange Fluss durchquert die alte Stadt; über den Fluss führt eine Brücke aus Stein („die Große“).",
    "el": "Ο μακρύς ποταμός διασχίζει την παλιά πόλη. Η ΓΕΦΥΡΑ είναι από πέτρα.",
    "en": "The long river crosses the old town. The bridge of stone was built in 1,342 by John O'Neil & Sons...",
    "es": "El largo río cruza la ciudad vieja. ¿Cuándo se construyó el puente de piedra?",
    "hi": "लंबी नदी पुराने शहर को पार करती है। पत्थर का पुल नदी के ऊपर है।",
    "ru": "Длинная река пересекает старый город. Мост из камня построили в городе.",
    "th": "แม่น้ำสายยาวไหลผ่านเมืองเก่า สะพานหินอยู่ในเมือง",
    "tr": "Uzun nehir eski şehri geçer. Taş köprü İstanbul'da değil, şehrin ortasındadır.",
    "vi": "Con sông dài chảy qua thành phố cổ. Cây cầu bằng đá ở giữa thành phố.",
    "zh": "长长的河流穿过古老的城市。石桥建于一三四二年，位于城市中心。",
}
MERGES = 250
SPECIAL = ["<s>", "</s>", "<pad>", "<unk>", "<special0>", "<special1>"]


def write_vocabulary(directory: Path, *, lower: bool) -> None:
    """Write ``vocab.json`` and ``merges.txt`` learned from the sentences above, for cased or lower-cased text."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "merges.txt").write_text("", encoding="utf-8")
    (directory / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(SPECIAL)}), encoding="utf-8")
    characters = XLMTokenizer(
        str(directory / "vocab.json"), str(directory / "merges.txt"), do_lowercase_and_remove_accent=lower
    )
    words: Counter[tuple[str, ...]] = Counter()
    for sentence in SENTENCES.values():
        word: list[str] = []
        for piece in characters.tokenize(sentence):
            word.append(piece)
            if piece.endswith("</w>"):
                words[tuple(word)] += 1
                word = []
    symbols = sorted({symbol for word in words for symbol in word})
    merges = learn_merges(words, MERGES)
    known = list(dict.fromkeys([*SPECIAL, *symbols, *("".join(pair) for pair in merges)]))
    (directory / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(known)}), encoding="utf-8")
    lines = "".join(f"{left} {right} 1\n" for left, right in merges)
    (directory / "merges.txt").write_text(lines, encoding="utf-8")


def learn_merges(words: Counter[tuple[str, ...]], count: int) -> list[tuple[str, str]]:
    """Merge the commonest pair of neighbours, again and again; ties go to the first in alphabetical order."""
    merges: list[tuple[str, str]] = []
    for _ in range(count):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                pairs[pair] += times
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = Counter({merge(word, best): times for word, times in words.items()})
    return merges


def merge(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    merged: list[str] = []
    for symbol in word:
        if merged and (merged[-1], symbol) == pair:
            merged[-1] += symbol
        else:
            merged.append(symbol)
    return tuple(merged)


@pytest.fixture(scope="session")
def tokenizer_directories(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Directories with a tokenizer, by whether it lower-cases and strips accents."""
    directories = {}
    for lower in (True, False):
        directory = tmp_path_factory.mktemp("vocabulary") / ("lower" if lower else "cased")
        write_vocabulary(directory, lower=lower)
        XLMTokenizer(
            str(directory / "vocab.json"), str(directory / "merges.txt"), do_lowercase_and_remove_accent=lower
        ).save_pretrained(directory)
        directories[lower] = directory
    return directories


MakeCheckpoint = Callable[..., Path]


@pytest.fixture(scope="session")
def make_checkpoint(
    tokenizer_directories: dict[bool, Path], tmp_path_factory: pytest.TempPathFactory
) -> MakeCheckpoint:
    """Return a function that writes a tiny seeded XLM checkpoint directory, as transformers saves it."""

    def make(
        *, simple: bool = False, languages: bool = False, seed: int = 7, lower: bool = True, **config: object
    ) -> Path:
        directory = tmp_path_factory.mktemp("checkpoint") / "tiny-xlm"
        tokenizer = XLMTokenizer.from_pretrained(tokenizer_directories[lower])
        shape: dict[str, object] = {
            "vocab_size": len(tokenizer.encoder),
            "emb_dim": 32,
            "n_layers": 2,
            "n_heads": 4,
            "max_position_embeddings": 128,
            "n_langs": 4 if languages else 1,
            "use_lang_emb": languages,
            "pad_token_id": 2,
            "bos_token_id": 0,
            "eos_token_id": 1,
            # Wide weights, or every logit of an untrained model is nearly the same.
            "embed_init_std": 0.5,
            "init_std": 0.3,
        }
        if languages:
            shape["lang2id"] = {"ar": 0, "en": 1, "ru": 2, "zh": 3}
        torch.manual_seed(seed)
        kind = XLMForQuestionAnsweringSimple if simple else XLMForQuestionAnswering
        model = kind(XLMConfig(**(shape | config))).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.2)
        model.save_pretrained(directory)
        tokenizer.save_pretrained(directory)
        return directory

    return make


@pytest.fixture(scope="session")
def beam_checkpoint(make_checkpoint: MakeCheckpoint) -> Path:
    return make_checkpoint()


@pytest.fixture(scope="session")
def language_checkpoint(make_checkpoint: MakeCheckpoint) -> Path:
    return make_checkpoint(languages=True)


@pytest.fixture(scope="session")
def simple_checkpoint(make_checkpoint: MakeCheckpoint) -> Path:
    return make_checkpoint(simple=True)


class Loaders:
    """Both ways to run one checkpoint: transformers' own class, chosen by hand, and our network."""

    @staticmethod
    def theirs(directory: Path) -> XLMForQuestionAnswering | XLMForQuestionAnsweringSimple:
        simple = "qa_outputs.weight" in load_file(directory / "model.safetensors")
        kind = XLMForQuestionAnsweringSimple if simple else XLMForQuestionAnswering
        return kind.from_pretrained(directory, attn_implementation="eager").eval()

    @staticmethod
    def ours(directory: Path) -> ReaderNetwork:
        return load_xlm_network(directory / "model.safetensors", read_config(directory))[1].eval()


@pytest.fixture(scope="session")
def loaders() -> type[Loaders]:
    return Loaders


@pytest.fixture(scope="session")
def sentences() -> dict[str, str]:
    return SENTENCES


@pytest.fixture(scope="session")
def exact_reader() -> Callable[..., XlmReader]:
    """Return a loader of XLM readers that compute in float32 on the CPU, whatever the machine would choose."""

    def load(directory: Path, *, pair: str | None = None, beams: int | None = None) -> XlmReader:
        settings = load_xlm_reader(directory, device="cpu", pair=pair).settings
        return XlmReader(
            settings,
            XlmPieces(load_xlm_tokenizer(directory)),
            Engine(
                Loaders.ours(directory),
                Compute(torch.device("cpu"), torch.float32),
                pad=settings.pair.pad,
                beams=settings.beams if beams is None else beams,
            ),
        )

    return load
