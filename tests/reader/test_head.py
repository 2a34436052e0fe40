"""The heads give what transformers' heads give, and what can be worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from transformers import XLMConfig
from transformers.models.xlm.modeling_xlm import XLMSQuADHead

from reader.head import MASKED, BeamHead, LinearHead

HIDDEN = 16
EPS = 1e-12


@pytest.fixture
def states() -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(3, 7, HIDDEN)


@pytest.fixture
def heads() -> tuple[BeamHead, XLMSQuADHead]:
    torch.manual_seed(2)
    theirs = XLMSQuADHead(XLMConfig(emb_dim=HIDDEN, n_heads=4, layer_norm_eps=EPS))
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.copy_(torch.randn_like(parameter))
    ours = BeamHead(HIDDEN, EPS)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return ours.eval(), theirs.eval()


@torch.inference_mode()
def test_the_factored_end_layer_is_the_concatenated_one(
    heads: tuple[BeamHead, XLMSQuADHead], states: torch.Tensor
) -> None:
    ours, theirs = heads
    starts = torch.tensor([[0, 6, 3], [2, 2, 1], [5, 0, 4]])
    start_states = states.gather(1, starts.unsqueeze(-1).expand(-1, -1, HIDDEN))
    logits = ours.end_logits(states, start_states)
    assert logits.shape == (3, 3, 7)
    for beam in range(3):
        expected = theirs.end_logits(states, start_positions=starts[:, beam])
        assert torch.allclose(logits[:, beam], expected, atol=1e-4)


@torch.inference_mode()
def test_the_class_logit_sees_the_expected_start_and_the_given_cls_token(
    heads: tuple[BeamHead, XLMSQuADHead], states: torch.Tensor
) -> None:
    ours, theirs = heads
    allowed = torch.ones(3, 7, dtype=torch.bool)
    allowed[0, 4:] = False
    cls = torch.tensor([0, 3, 6])
    start = ours.start_logits(states).masked_fill(~allowed, MASKED)
    expected = theirs(states, cls_index=cls, p_mask=(~allowed).float(), return_dict=True).cls_logits
    assert torch.allclose(ours.class_logits(states, start, cls), expected, atol=1e-4)


@torch.inference_mode()
def test_a_beam_head_worked_by_hand() -> None:
    """With one hidden unit: start 3h + 1, class 5 tanh(h_start + 2 h_cls)."""
    head = BeamHead(1, EPS)
    head.start_logits.load_state_dict({"dense.weight": torch.tensor([[3.0]]), "dense.bias": torch.tensor([1.0])})
    head.answer_class.load_state_dict(
        {
            "dense_0.weight": torch.tensor([[1.0, 2.0]]),
            "dense_0.bias": torch.tensor([0.0]),
            "dense_1.weight": torch.tensor([[5.0]]),
        }
    )
    states = torch.tensor([[[0.5], [0.0], [0.25]]])
    assert head.start_logits(states).tolist() == [[2.5, 1.0, 1.75]]
    only_last = torch.tensor([[MASKED, MASKED, 0.0]])
    logit = head.class_logits(states, only_last, torch.tensor([0])).item()
    assert logit == pytest.approx(5 * math.tanh(0.25 + 2 * 0.5), abs=1e-6)


@torch.inference_mode()
def test_a_linear_head_is_two_rows_and_its_ends_do_not_depend_on_the_start() -> None:
    head = LinearHead(2)
    head.load_state_dict({"weight": torch.tensor([[1.0, 2.0], [-1.0, 3.0]]), "bias": torch.tensor([0.5, -0.5])})
    states = torch.tensor([[[1.0, 1.0], [2.0, 0.0]]])
    assert head.start_logits(states).tolist() == [[3.5, 2.5]]
    assert head.end_logits(states, states[:, :1]).tolist() == [[[1.5, -2.5]]]
    assert head.end_logits(states, states).tolist() == [[[1.5, -2.5], [1.5, -2.5]]]
    assert head.class_logits(states, torch.zeros(1, 2), torch.tensor([0])).isnan().all()
