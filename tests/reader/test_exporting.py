from pathlib import Path

import pytest
import torch
from transformers import BertConfig

from corpora import Passage
from encoder import base_model_directory
from encoder.tokenization import build_tokenizer, load_tokenizer
from encoder.weights import write_weights
from reader import Calibration, ReaderError, load_reader
from reader.checkpoint import default_reader_directory, load_network, save_reader
from reader.engine import collate
from reader.exporting import export_xlm
from reader.network import ReaderNetwork
from reader.reading import FastPieces
from reader.settings import XLM_ROBERTA_PAIR, ReaderSettings, read_settings
from reader.windows import Window, WindowLimits, make_windows

PAIRS = [
    ("Who discovered penicillin?", "Penicillin was discovered in 1928 by Alexander Fleming in London."),
    ("Wo liegt der Baikalsee?", "Озеро Байкал находится в Сибири, недалеко от Иркутска."),
    ("Πότε;", "1821"),
]


def windows() -> list[Window]:
    settings = read_settings(default_reader_directory() / "reader.json")
    pieces = FastPieces(load_tokenizer(base_model_directory()))
    made: list[Window] = []
    for number, (question, text) in enumerate(PAIRS):
        passage = Passage(id=str(number), document_id="d", text=text, start=0)
        asked = pieces.encode_questions([question])[0]
        shown = pieces.encode_passages([passage.text])[0]
        made += make_windows(number, asked, (), shown, settings.pair, settings.limits)
    return made


def test_plain_transformers_loads_the_export_whole_and_gives_the_same_logits(tmp_path: Path) -> None:
    from transformers import XLMForQuestionAnswering

    exported = export_xlm(tmp_path / "xlm")
    theirs, loading = XLMForQuestionAnswering.from_pretrained(exported, output_loading_info=True)
    assert not loading["missing_keys"]
    assert not loading["unexpected_keys"]
    ours = load_network(default_reader_directory()).eval()
    batch = collate(windows(), 1, torch.device("cpu"))
    with torch.inference_mode():
        states = ours.encode(batch)
        start = ours.start_logits(states, batch)
        beams = start.topk(2, dim=1).indices
        end = ours.end_logits(states, batch, beams)
        answer_class = ours.class_logits(states, start, batch)

        p_mask = (~batch.allowed).float()
        theirs.eval()
        native = theirs.transformer(batch.input_ids, attention_mask=batch.attention_mask)[0]
        native_start = theirs.qa_outputs.start_logits(native, p_mask=p_mask)
        for beam in range(2):
            native_end = theirs.qa_outputs.end_logits(native, start_states=None, start_positions=beams[:, beam])
            torch.testing.assert_close(end[:, beam][batch.allowed], native_end[batch.allowed], rtol=0, atol=1e-4)
        outputs = theirs(
            batch.input_ids,
            attention_mask=batch.attention_mask,
            cls_index=batch.cls_positions,
            p_mask=p_mask,
        )
    torch.testing.assert_close(start[batch.allowed], native_start[batch.allowed], rtol=0, atol=1e-4)
    torch.testing.assert_close(answer_class, outputs.cls_logits, rtol=0, atol=1e-4)


@pytest.fixture
def tiny_reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """One of Spanglot's own readers, over a tiny base encoder."""
    base = tmp_path / "base"
    pieces = [(piece, -float(place)) for place, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefgh"])]
    config = BertConfig(
        vocab_size=len(pieces) + 1,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=64,
        pad_token_id=1,
    )
    torch.manual_seed(3)
    network = ReaderNetwork(config)
    config.save_pretrained(base)
    write_weights(base / "model.safetensors", network.transformer.state_dict())
    build_tokenizer(pieces).save(str(base / "tokenizer.json"))
    (base / "tokenizer_config.json").write_text("{}")
    monkeypatch.setenv("SPANGLOT_BASE", str(base))
    settings = ReaderSettings(
        name="tiny",
        pair=XLM_ROBERTA_PAIR,
        limits=WindowLimits(window=32, overlap=8, question=8),
        calibration=Calibration(bias=1.0, span=2.0, no_answer=3.0, retrieval=4.0, given=0.5, threshold=0.25),
        trained_on=("letters",),
    )
    head = {name: tensor for name, tensor in network.state_dict().items() if name.startswith("qa_outputs.")}
    save_reader(tmp_path / "reader", settings, head)
    return tmp_path / "reader"


def test_an_export_is_read_as_the_original_is(tiny_reader: Path, tmp_path: Path) -> None:
    original = load_reader(tiny_reader, device="cpu")
    exported = load_reader(export_xlm(tmp_path / "xlm", tiny_reader), device="cpu")
    assert exported.settings == original.settings
    passage = Passage(id="p", document_id="d", text="a b c d e f g h a c e g", start=0)
    ours, theirs = (reader.read("b d", [passage], top_k=50) for reader in (original, exported))
    scores = {(span.start, span.end): span.score for span in theirs}
    assert {(span.start, span.end) for span in ours} == scores.keys()
    # Either may compute in bfloat16.
    assert [span.score for span in ours] == pytest.approx([scores[span.start, span.end] for span in ours], abs=0.05)


def test_an_export_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ReaderError, match="is not empty"):
        export_xlm(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
