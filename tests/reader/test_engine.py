"""The shipped reader on real passages: what it says of one does not depend on what is read with it."""

from __future__ import annotations

import pytest

from corpora import Passage, ReadReport, read_documents, sample_documents
from reader import load_reader


def test_a_passage_gets_the_same_spans_alone_and_in_company() -> None:
    texts = [document.text for document in read_documents([sample_documents()], report=ReadReport())][::7]
    # Of many lengths, so that windows of several widths are read together.
    passages = [
        Passage(id=str(number), document_id=str(number), text=text[: 100 + 90 * number], start=0)
        for number, text in enumerate(texts)
    ]
    reader = load_reader(device="cpu")
    together = reader.read("When was it built?", passages, top_k=2)
    alone = [span for passage in passages for span in reader.read("When was it built?", [passage], top_k=2)]
    assert len(together) == len(alone) == 2 * len(passages)
    scores = {(span.passage.id, span.start, span.end): span.score for span in alone}
    # To the last bit in bfloat16; float32 products may be cut up by the size of the batch.
    assert {(span.passage.id, span.start, span.end): span.score for span in together} == pytest.approx(scores, abs=1e-3)
