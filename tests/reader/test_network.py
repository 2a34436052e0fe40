"""Our network and transformers' own XLM, on padded batches of windows of mixed lengths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig

from reader.engine import collate
from reader.errors import ReaderError
from reader.head import MASKED
from reader.network import ReaderNetwork, assemble, new_network
from reader.windows import Window

PAD = 2
CPU = torch.device("cpu")
STARTS = torch.tensor([[4, 8, 5], [0, 5, 4], [3, 4, 3]])


def windows(*, languages: bool) -> list[Window]:
    """Return windows ``<s> question </s> passage </s>`` of 18, 9 and 6 tokens, with CLS at the first separator."""
    drawn = torch.Generator().manual_seed(5)
    made = []
    for question, passage in ((2, 13), (1, 5), (1, 2)):
        words = torch.randint(6, 100, (question + passage,), generator=drawn).tolist()
        ids = [0, *words[:question], 1, *words[question:], 1]
        types = [1] * (question + 2) + [2] * (passage + 1) if languages else []
        made.append(
            Window(
                pair=0,
                ids=ids,
                passage_start=question + 2,
                passage_end=question + 2 + passage,
                first_token=0,
                cls_position=question + 1,
                token_types=types,
            )
        )
    return made


@pytest.mark.parametrize("languages", [False, True])
@torch.inference_mode()
def test_start_end_and_class_logits_are_those_of_transformers(
    languages: bool, beam_checkpoint: Path, language_checkpoint: Path, loaders: Any
) -> None:
    directory = language_checkpoint if languages else beam_checkpoint
    theirs, ours = loaders.theirs(directory), loaders.ours(directory)
    batch = collate(windows(languages=languages), PAD, CPU)
    assert (batch.token_types is not None) == languages
    p_mask = (~batch.allowed).float()
    inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, "langs": batch.token_types}
    hidden = theirs.transformer(**inputs).last_hidden_state
    start = theirs.qa_outputs.start_logits(hidden, p_mask)
    classes = theirs(**inputs, cls_index=batch.cls_positions, p_mask=p_mask).cls_logits

    states = ours.encode(batch)
    our_start = ours.start_logits(states, batch)
    allowed = batch.allowed
    assert start[allowed].std() > 0.1, "logits that are all alike prove nothing"
    assert torch.allclose(our_start[allowed], start[allowed], atol=1e-4)
    assert (our_start[~allowed] == MASKED).all()
    assert torch.allclose(ours.class_logits(states, our_start, batch), classes, atol=1e-4)
    our_ends = ours.end_logits(states, batch, STARTS)
    for beam in range(STARTS.shape[1]):
        ends = theirs.qa_outputs.end_logits(hidden, start_positions=STARTS[:, beam], p_mask=p_mask)
        assert torch.allclose(our_ends[:, beam][allowed], ends[allowed], atol=1e-4)
        assert (our_ends[:, beam][~allowed] == MASKED).all()


@torch.inference_mode()
def test_language_ids_change_the_logits(language_checkpoint: Path, loaders: Any) -> None:
    ours = loaders.ours(language_checkpoint)
    with_languages = collate(windows(languages=True), PAD, CPU)
    without = collate(windows(languages=False), PAD, CPU)
    difference = ours.encode(with_languages)[0] - ours.encode(without)[0]
    assert difference.abs().max() > 0.1


@torch.inference_mode()
def test_the_linear_head_gives_the_logits_of_transformers(simple_checkpoint: Path, loaders: Any) -> None:
    theirs, ours = loaders.theirs(simple_checkpoint), loaders.ours(simple_checkpoint)
    batch = collate(windows(languages=False), PAD, CPU)
    expected = theirs(input_ids=batch.input_ids, attention_mask=batch.attention_mask)
    states = ours.encode(batch)
    allowed = batch.allowed
    assert torch.allclose(ours.start_logits(states, batch)[allowed], expected.start_logits[allowed], atol=1e-4)
    ends = ours.end_logits(states, batch, STARTS)
    for beam in range(STARTS.shape[1]):
        assert torch.allclose(ends[:, beam][allowed], expected.end_logits[allowed], atol=1e-4)


def small_config() -> BertConfig:
    return BertConfig(
        vocab_size=11,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=6,
        type_vocab_size=1,
    )


def test_assembling_takes_the_tensors_as_they_are_and_fills_the_buffers() -> None:
    plain = ReaderNetwork(small_config())
    state = plain.state_dict()
    network = assemble(small_config(), state, source=Path("somewhere"))
    for name, tensor in network.state_dict().items():
        assert tensor.data_ptr() == state[name].data_ptr()
    assert network.transformer.embeddings.position_ids.tolist() == [[0, 1, 2, 3, 4, 5]]
    assert network.transformer.embeddings.token_type_ids.tolist() == [[0] * 6]


@pytest.mark.parametrize("change", ["missing", "left over", "reshaped"])
def test_weights_that_do_not_fit_are_refused_by_name(change: str) -> None:
    state = dict(ReaderNetwork(small_config()).state_dict())
    name = "qa_outputs.start_logits.dense.weight"
    if change == "missing":
        del state[name]
    elif change == "left over":
        name = "qa_outputs.surplus"
        state[name] = torch.zeros(1)
    else:
        state[name] = torch.zeros(2, 8)
    with pytest.raises(ReaderError, match=rf"somewhere.*{name}") as caught:
        assemble(small_config(), state, source=Path("somewhere"))
    assert "\n" not in str(caught.value)


def test_a_new_network_has_the_given_encoder_and_a_head_that_the_seed_decides() -> None:
    encoder = ReaderNetwork(small_config()).transformer.state_dict()
    first, again, other = (new_network(small_config(), encoder, seed=seed) for seed in (1, 1, 2))
    for name, tensor in first.transformer.state_dict().items():
        assert torch.equal(tensor, encoder[name])
    for (name, one), two in zip(
        first.qa_outputs.state_dict().items(), again.qa_outputs.state_dict().values(), strict=True
    ):
        assert torch.equal(one, two), name
    weight = "end_logits.dense_0.weight"
    assert not torch.equal(first.qa_outputs.state_dict()[weight], other.qa_outputs.state_dict()[weight])
    assert first.qa_outputs.state_dict()[weight].std().item() == pytest.approx(0.02, rel=0.3)
    assert not first.qa_outputs.state_dict()["end_logits.dense_0.bias"].any()
