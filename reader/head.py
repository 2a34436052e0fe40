"""The heads of ``XLMForQuestionAnswering`` and ``...Simple``, under the same names; the beam head's end is factored.

Start logits are linear. End logits are conditional on a start s: ``dense_1(LayerNorm(tanh(dense_0([h; h_s]))))``, as in
Yang et al., "XLNet", 2019, section A.5. Since ``dense_0([h; h_s]) = W_h h + W_s h_s + b``, both products are computed
once for each token and added for each (token, start) pair: the same value as the concatenated form up to rounding,
without its (length, starts, 2 x hidden) tensor.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# -1e30 overflows float16; this is far below any logit and representable everywhere.
MASKED = -65500.0


class StartLogits(nn.Module):
    """One raw start logit for each token."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden, 1)

    def forward(self, states: Tensor) -> Tensor:
        """Map (..., hidden) to (...)."""
        logits: Tensor = self.dense(states).squeeze(-1)
        return logits


class EndLogits(nn.Module):
    """One raw end logit for each pair of a token and a given start state."""

    def __init__(self, hidden: int, eps: float) -> None:
        super().__init__()
        self.dense_0 = nn.Linear(2 * hidden, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=eps)
        self.dense_1 = nn.Linear(hidden, 1)

    def forward(self, states: Tensor, start_states: Tensor) -> Tensor:
        """Map states (batch, length, hidden) and start states (batch, starts, hidden) to (batch, starts, length)."""
        hidden = states.shape[-1]
        weight = self.dense_0.weight
        from_token = nn.functional.linear(states, weight[:, :hidden], self.dense_0.bias)
        from_start = nn.functional.linear(start_states, weight[:, hidden:])
        pairs = torch.tanh(from_token.unsqueeze(1) + from_start.unsqueeze(2))
        logits: Tensor = self.dense_1(self.LayerNorm(pairs)).squeeze(-1)
        return logits


class AnswerClass(nn.Module):
    """One raw logit for "this window does not answer"."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.dense_0 = nn.Linear(2 * hidden, hidden)
        self.dense_1 = nn.Linear(hidden, 1, bias=False)

    def forward(self, start_summary: Tensor, cls_state: Tensor) -> Tensor:
        """Map two (batch, hidden) states to (batch,)."""
        joined = torch.cat((start_summary, cls_state), dim=-1)
        logits: Tensor = self.dense_1(torch.tanh(self.dense_0(joined))).squeeze(-1)
        return logits


class BeamHead(nn.Module):
    """Start, conditional end and answerability logits; the state dict is that of transformers' ``SQuADHead``."""

    def __init__(self, hidden: int, eps: float) -> None:
        super().__init__()
        self.start_logits = StartLogits(hidden)
        self.end_logits = EndLogits(hidden, eps)
        self.answer_class = AnswerClass(hidden)

    def class_logits(self, states: Tensor, start_logits: Tensor, cls_positions: Tensor) -> Tensor:
        """Return (batch,) logits for "no answer"; ``start_logits`` must already be masked with ``MASKED``."""
        expected_start = torch.einsum("blh,bl->bh", states, torch.softmax(start_logits, dim=-1))
        rows = torch.arange(len(states), device=states.device)
        logits: Tensor = self.answer_class(expected_start, states[rows, cls_positions])
        return logits


class LinearHead(nn.Linear):
    """Start and end logits independent of each other, with the methods of ``BeamHead``.

    The state dict is that of the linear layer of transformers' ``...ForQuestionAnswering`` models: row 0 gives starts,
    row 1 ends.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden, 2)

    def start_logits(self, states: Tensor) -> Tensor:
        """Map (batch, length, hidden) to (batch, length)."""
        return nn.functional.linear(states, self.weight[:1], self.bias[:1]).squeeze(-1)

    def end_logits(self, states: Tensor, start_states: Tensor) -> Tensor:
        """Return (batch, starts, length) end logits, the same for every start."""
        logits = nn.functional.linear(states, self.weight[1:], self.bias[1:]).squeeze(-1)
        return logits.unsqueeze(1).expand(-1, start_states.shape[1], -1)

    def class_logits(self, states: Tensor, start_logits: Tensor, cls_positions: Tensor) -> Tensor:
        """Return (batch,) NaN: this head has no answer class, and no number must pass for one."""
        return torch.full((len(states),), torch.nan, device=states.device)
