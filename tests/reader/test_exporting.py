from pathlib import Path

import pytest
import torch

from corpora import Passage
from encoder import base_model_directory
from encoder.tokenization import load_tokenizer
from reader import ReaderError
from reader.checkpoint import default_reader_directory, load_network
from reader.engine import collate
from reader.exporting import export_xlm
from reader.reading import FastPieces
from reader.settings import read_settings
from reader.windows import Window, make_windows

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


def test_an_export_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ReaderError, match="is not empty"):
        export_xlm(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
