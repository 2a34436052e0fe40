"""The eleven ways to read an XLM checkpoint wrongly, each shown to be there and then avoided.

1 the wrong class, 2 the pipeline's outputs, 3 probabilities for logits, 4 the transposed end table, 5 unmasked
positions, 6 CLS as the last token, 7 token types as words, 8 language ids, 9 tokenizer and pair format, 10 an
untrained answer class, 11 speed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForQuestionAnswering, XLMForQuestionAnsweringSimple

from corpora.documents import Passage
from reader.checkpoint import load_reader
from reader.engine import Engine, collate
from reader.head import BeamHead
from reader.network import WindowBatch
from reader.pipeline import question_answering
from reader.reading import XlmReader
from reader.windows import Window
from reader.xlm import load_xlm_reader

CPU = torch.device("cpu")
PAD, SEPARATOR = 2, 1
QUESTION = "Who crosses the bridge of stone?"
CONTEXT = "The long river crosses the old town."
PASSAGE = Passage(id="p", document_id="d", text=CONTEXT, start=0)
ExactReader = Callable[..., XlmReader]


def windows(reader: XlmReader, *passages: Passage, question: str = QUESTION) -> list[Window]:
    return reader._prepare([question], [_pair(passage) for passage in passages])[0]


def _pair(passage: Passage) -> Any:
    from reader.reading import _Pair

    return _Pair(0, passage)


def batch_of(reader: XlmReader, *texts: str) -> WindowBatch:
    passages = [Passage(id=str(i), document_id="d", text=text, start=0) for i, text in enumerate(texts)]
    return collate(windows(reader, *passages), PAD, CPU)


def inputs(batch: WindowBatch) -> dict[str, torch.Tensor | None]:
    return {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, "langs": batch.token_types}


def test_trap_01_the_head_in_the_file_is_the_head_that_runs(beam_checkpoint: Path, loaders: Any) -> None:
    auto = AutoModelForQuestionAnswering.from_pretrained(beam_checkpoint)
    assert isinstance(auto, XLMForQuestionAnsweringSimple), "the trap: a fresh linear head"
    head = loaders.ours(beam_checkpoint).qa_outputs
    trained = loaders.theirs(beam_checkpoint).qa_outputs.state_dict()
    assert isinstance(head, BeamHead)
    assert {name: tensor.tolist() for name, tensor in head.state_dict().items()} == {
        name: tensor.tolist() for name, tensor in trained.items()
    }


@torch.inference_mode()
def test_trap_02_the_pipeline_answers_from_logits_not_from_the_first_two_outputs(
    beam_checkpoint: Path, loaders: Any, exact_reader: ExactReader
) -> None:
    reader = exact_reader(beam_checkpoint)
    batch = batch_of(reader, CONTEXT)
    first, second = loaders.theirs(beam_checkpoint)(**inputs(batch), return_dict=False)[:2]
    assert (first.shape, second.dtype) == ((1, 5), torch.long), "the trap: probabilities and indices, not logits"
    (span,) = reader.read(QUESTION, [PASSAGE], top_k=1)
    answer = question_answering(beam_checkpoint, device="cpu")({"question": QUESTION, "context": CONTEXT})
    assert answer["answer"] == CONTEXT[answer["start"] : answer["end"]]
    expected = reader.calibration.probability(span.score, span.no_answer_score, 0.0)
    assert answer["score"] == pytest.approx(float(expected), abs=0.05)  # the pipeline may run in bfloat16


@torch.inference_mode()
def test_trap_03_scores_are_raw_logits_that_no_other_token_shares(
    beam_checkpoint: Path, loaders: Any, exact_reader: ExactReader
) -> None:
    reader, theirs = exact_reader(beam_checkpoint, beams=200), loaders.theirs(beam_checkpoint)
    batch = batch_of(reader, CONTEXT)
    hidden = theirs.transformer(**inputs(batch)).last_hidden_state
    p_mask = (~batch.allowed).float()
    output = theirs(**inputs(batch), cls_index=batch.cls_positions, p_mask=p_mask)
    top = output.start_top_index[0, 0]
    assert 0 < output.start_top_log_probs[0, 0] < 1, "the trap: called log, but a softmax within the window"
    start = theirs.qa_outputs.start_logits(hidden)[0]
    ends = theirs.qa_outputs.end_logits(hidden, start_positions=top.unsqueeze(0))[0]
    (logits,) = reader._engine.run(windows(reader, PASSAGE))
    assert logits.start_logits[top] == pytest.approx(start[top].item(), abs=1e-4)
    beam = logits.starts.tolist().index(top.item())
    allowed = batch.allowed[0]
    assert torch.allclose(torch.tensor(logits.end_logits[beam])[allowed], ends[allowed], atol=1e-4)
    spans = reader.read(QUESTION, [PASSAGE], top_k=5)
    assert any(not 0 <= span.score <= 1 for span in spans)


@torch.inference_mode()
def test_trap_04_ends_are_paired_with_their_own_start(
    make_checkpoint: Callable[..., Path], loaders: Any, exact_reader: ExactReader
) -> None:
    directory = make_checkpoint(start_n_top=4, end_n_top=3)
    reader, theirs = exact_reader(directory, beams=4), loaders.theirs(directory)
    batch = batch_of(reader, CONTEXT)
    batch.allowed[0, batch.cls_positions] = False  # transformers' beams may take CLS, ours stand in the passage
    output = theirs(**inputs(batch), cls_index=batch.cls_positions, p_mask=(~batch.allowed).float())
    (logits,) = reader._engine.run(windows(reader, PASSAGE))
    assert logits.starts.tolist() == output.start_top_index[0].tolist()
    best = torch.tensor(logits.end_logits).masked_fill(~batch.allowed, -torch.inf).topk(3, dim=1).indices
    flat = output.end_top_index[0]
    by_start = [[flat[j * 4 + i].item() for j in range(3)] for i in range(4)]
    transposed = [[flat[i * 3 + j].item() for j in range(3)] for i in range(4)]
    assert transposed != by_start, "the trap: both readings would pass"
    assert best.tolist() == by_start


def test_trap_05_no_span_outside_the_passage_and_no_change_by_padding(
    beam_checkpoint: Path, exact_reader: ExactReader
) -> None:
    reader = exact_reader(beam_checkpoint, beams=200)
    long = Passage(id="long", document_id="d", text=" ".join([CONTEXT] * 4), start=0)
    short, padded = windows(reader, PASSAGE, long)
    assert len(padded.ids) > 2 * len(short.ids)
    alone, together = reader._engine.run([short])[0], reader._engine.run([padded, short])[1]
    assert alone.start_logits == pytest.approx(together.start_logits, abs=1e-4)
    assert alone.class_logit == pytest.approx(together.class_logit, abs=1e-4)
    assert alone.null_score == pytest.approx(together.null_score, abs=1e-4)
    inside = range(short.passage_start, short.passage_end)
    for position in range(len(short.ids)):
        allowed = position in inside or position == short.cls_position
        assert (together.start_logits[position] > -1e4) == allowed
        assert (together.end_logits[0, position] > -1e4) == allowed
    assert not torch.isinf(torch.tensor(together.start_logits).half()).any(), "a mask beyond float16"


@torch.inference_mode()
def test_trap_06_cls_is_where_the_format_puts_it(
    beam_checkpoint: Path, loaders: Any, exact_reader: ExactReader
) -> None:
    reader, theirs = exact_reader(beam_checkpoint), loaders.theirs(beam_checkpoint)
    batch = batch_of(reader, CONTEXT, CONTEXT + " " + CONTEXT)
    p_mask = (~batch.allowed).float()
    last = theirs(**inputs(batch), p_mask=p_mask).cls_logits
    right = theirs(**inputs(batch), cls_index=batch.cls_positions, p_mask=p_mask).cls_logits
    assert (last - right).abs().max() > 1e-2, "the trap: the last token, padding or not"
    passages = [PASSAGE, Passage(id="q", document_id="d", text=CONTEXT + " " + CONTEXT, start=0)]
    logits = reader._engine.run(windows(reader, *passages))
    assert [each.class_logit for each in logits] == pytest.approx(right.tolist(), abs=1e-4)
    for window in windows(reader, *passages):
        assert window.ids.index(SEPARATOR) == window.cls_position


@torch.inference_mode()
def test_trap_07_token_types_are_not_fed(beam_checkpoint: Path, loaders: Any, exact_reader: ExactReader) -> None:
    reader, theirs = exact_reader(beam_checkpoint), loaders.theirs(beam_checkpoint)
    batch = batch_of(reader, CONTEXT)
    types = (torch.arange(batch.input_ids.shape[1]) > 5).long().unsqueeze(0)
    plain = theirs.transformer(**inputs(batch)).last_hidden_state
    typed = theirs.transformer(**inputs(batch), token_type_ids=types).last_hidden_state
    assert (plain - typed).abs().max() > 0.1, "the trap: they are looked up among the words"
    assert batch.token_types is None
    assert torch.allclose(loaders.ours(beam_checkpoint).encode(batch), plain, atol=1e-4)


@torch.inference_mode()
def test_trap_08_language_ids_are_fed_where_they_are_used(
    language_checkpoint: Path, make_checkpoint: Callable[..., Path], loaders: Any, exact_reader: ExactReader
) -> None:
    reader, theirs = exact_reader(language_checkpoint), loaders.theirs(language_checkpoint)
    russian = Passage(id="ru", document_id="d", text="Мост из камня построили", start=0, language="ru")
    unknown = Passage(id="xx", document_id="d", text="Мост из камня построили", start=0, language=None)
    known, fallback = windows(reader, russian, unknown, question="Which of the old bridges was built of stone?")
    asked = known.passage_start
    assert list(known.token_types) == [1] * asked + [2] * (len(known.ids) - asked)
    assert list(fallback.token_types) == [1] * asked + [0] * (len(known.ids) - asked)
    batch = collate([known], PAD, CPU)
    expected = theirs.transformer(**inputs(batch)).last_hidden_state
    without = theirs.transformer(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
    assert (expected - without).abs().max() > 0.1, "the trap: left out, nothing complains"
    assert torch.allclose(loaders.ours(language_checkpoint).encode(batch), expected, atol=1e-4)
    unused = load_xlm_reader(make_checkpoint(n_langs=4, use_lang_emb=False), device="cpu")
    assert unused.settings.languages is None
    assert not windows(unused, russian)[0].token_types


def test_trap_09_the_tokenizer_and_both_pair_formats(beam_checkpoint: Path, tmp_path: Path) -> None:
    now = load_xlm_reader(beam_checkpoint, device="cpu")
    then = load_xlm_reader(beam_checkpoint, device="cpu", pair="2020")
    tokenizer = now._pieces._tokenizer  # type: ignore[attr-defined]
    question = tokenizer.encode(QUESTION, add_special_tokens=False)
    words = [number for word in CONTEXT.split() for number in tokenizer.encode(word, add_special_tokens=False)]
    (window,), (old,) = windows(now, PASSAGE), windows(then, PASSAGE)
    assert list(window.ids) == tokenizer.build_inputs_with_special_tokens(question, words)
    assert window.cls_position == window.ids.index(tokenizer.cls_token_id) == len(question) + 1
    assert list(old.ids) == [1, *question, 1, *words, 1]
    assert old.cls_position == old.ids.index(tokenizer.cls_token_id) == 0
    # Recorded beside the checkpoint, the format needs no argument.
    copy = shutil.copytree(beam_checkpoint, tmp_path / "copy")
    pair = {"opening": list(then.settings.pair.opening), "cls_position": 0}
    (copy / "reader.json").write_text(json.dumps({"format": 1, "settings": {"pair": pair}}), encoding="utf-8")
    recorded = load_reader(copy, device="cpu")
    assert recorded.settings.pair == then.settings.pair != now.settings.pair
    # Lower-casing, accents, punctuation and control characters do not move an answer.
    text = "«\u200bÉtienne» crosse\u0301s… the\u00a0bridge"
    (pieces,) = now._pieces.encode_passages([text])
    starts, ends = {start for start, _ in pieces.offsets}, {end for _, end in pieces.offsets}
    for answer in ("Étienne", "crosse\u0301s", "bridge"):
        assert text.index(answer) in starts
        assert text.index(answer) + len(answer) in ends


def test_trap_10_an_answer_class_that_was_not_trained_is_not_used(
    beam_checkpoint: Path, tmp_path: Path, exact_reader: ExactReader
) -> None:
    copy = shutil.copytree(beam_checkpoint, tmp_path / "copy")
    reader = exact_reader(copy)
    (logits,) = reader._engine.run(windows(reader, PASSAGE))
    assert abs(logits.null_score - logits.class_logit) > 1e-2
    (span,) = reader.read(QUESTION, [PASSAGE], top_k=1)
    assert span.no_answer_score == pytest.approx(logits.null_score, abs=1e-4)
    settings = {"format": 1, "settings": {"no_answer": "class"}}
    (copy / "reader.json").write_text(json.dumps(settings), encoding="utf-8")
    (span,) = exact_reader(copy).read(QUESTION, [PASSAGE], top_k=1)
    assert span.no_answer_score == pytest.approx(logits.class_logit, abs=1e-4)


@torch.inference_mode()
def test_trap_10_the_null_score_is_the_span_of_cls_alone(
    beam_checkpoint: Path, loaders: Any, exact_reader: ExactReader
) -> None:
    reader, theirs = exact_reader(beam_checkpoint), loaders.theirs(beam_checkpoint)
    (window,) = windows(reader, PASSAGE)
    (logits,) = reader._engine.run([window])
    hidden = theirs.transformer(torch.tensor([window.ids])).last_hidden_state
    cls = window.cls_position
    start = theirs.qa_outputs.start_logits(hidden)[0, cls]
    ends = theirs.qa_outputs.end_logits(hidden, start_positions=torch.tensor([cls]))[0]
    standing = [cls, *range(window.passage_start, window.passage_end)]
    end = ends[cls] - ends[standing].logsumexp(0)
    assert logits.null_score == pytest.approx((start + end).item(), abs=1e-4)


@torch.inference_mode()
def test_trap_11_the_end_layer_is_factored_and_attention_is_fused(beam_checkpoint: Path, loaders: Any) -> None:
    hidden, length, beams = 64, 40, 8
    head = BeamHead(hidden, 1e-12)
    states, starts = torch.randn(2, length, hidden), torch.randn(2, beams, hidden)
    with FlopCounterMode(display=False) as counted:
        head.end_logits(states, starts)
    concatenated = 2 * 2 * length * beams * (2 * hidden) * hidden
    assert counted.get_total_flops() < concatenated / 5
    network = loaders.ours(beam_checkpoint)
    assert network.transformer.config._attn_implementation == "sdpa"
    output = network.transformer(input_ids=torch.tensor([[0, 9, 1]]))
    assert getattr(output, "past_key_values", None) is None, "a key/value cache that nobody reads"


def test_trap_11_batches_are_made_of_windows_alike_in_length(beam_checkpoint: Path, exact_reader: ExactReader) -> None:
    """The engine runs the longest windows together, within its budget, and gives the answers in the order asked."""
    reader = exact_reader(beam_checkpoint)
    engine = reader._engine
    assert isinstance(engine, Engine)
    texts = [CONTEXT if i % 2 else "town" for i in range(6)]
    passages = [Passage(id=str(i), document_id="d", text=text, start=0) for i, text in enumerate(texts)]
    made = windows(reader, *passages)
    engine._budget = 3 * max(len(window.ids) for window in made)
    for window, logits in zip(made, engine.run(made), strict=True):
        assert len(logits.start_logits) == logits.end_logits.shape[1] == len(window.ids)
