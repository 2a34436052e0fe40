"""The reader's network: a BERT-form encoder under a span head, or another model with a head of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel, PreTrainedModel

from reader.errors import ReaderError
from reader.head import MASKED, BeamHead, LinearHead


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowBatch:
    """A padded batch of windows; tensors are (batch, length) unless said.

    ``allowed`` is True where a span may start or end (the CLS token and the passage), ``cls_positions`` is (batch,).
    ``token_types`` are language ids where the encoder has language embeddings, else None (all 0).
    """

    input_ids: Tensor
    attention_mask: Tensor
    allowed: Tensor
    cls_positions: Tensor
    token_types: Tensor | None = None


class ReaderNetwork(nn.Module):
    """Encoder and head; ``transformer`` has the layout of a ``BertModel`` whatever the checkpoint was called."""

    def __init__(self, config: BertConfig, *, linear_head: bool = False) -> None:
        super().__init__()
        self.transformer = BertModel(config, add_pooling_layer=False)
        self.qa_outputs: BeamHead | LinearHead = (
            LinearHead(config.hidden_size) if linear_head else BeamHead(config.hidden_size, config.layer_norm_eps)
        )

    def materialize_buffers(self) -> None:
        """Give the position and token-type buffers values, after a build on the meta device."""
        embeddings = self.transformer.embeddings
        positions = torch.arange(self.transformer.config.max_position_embeddings).unsqueeze(0)
        embeddings.register_buffer("position_ids", positions, persistent=False)
        embeddings.register_buffer("token_type_ids", torch.zeros_like(positions), persistent=False)

    def encode(self, batch: WindowBatch) -> Tensor:
        """Return the hidden states, (batch, length, hidden), in float32: the head runs in full precision."""
        output = self.transformer(
            input_ids=batch.input_ids, attention_mask=batch.attention_mask, token_type_ids=batch.token_types
        )
        states: Tensor = output.last_hidden_state
        return states.float()

    def start_logits(self, states: Tensor, batch: WindowBatch) -> Tensor:
        """Return start logits, (batch, length), ``MASKED`` where a span may not stand."""
        logits: Tensor = self.qa_outputs.start_logits(states)
        return logits.masked_fill(~batch.allowed, MASKED)

    def end_logits(self, states: Tensor, batch: WindowBatch, starts: Tensor) -> Tensor:
        """Return end logits for each of the given ``starts`` (batch, starts): (batch, starts, length)."""
        index = starts.unsqueeze(-1).expand(-1, -1, states.shape[-1])
        logits: Tensor = self.qa_outputs.end_logits(states, states.gather(1, index))
        return logits.masked_fill(~batch.allowed.unsqueeze(1), MASKED)

    def end_totals(self, end_logits: Tensor) -> Tensor:
        """Sum up the end logits of each start, (batch, starts, length) to (batch, starts), as log-sum-exp.

        Ends that do not depend on starts have nothing to be summed up for: their totals are 0.
        """
        if isinstance(self.qa_outputs, LinearHead):
            return end_logits.new_zeros(end_logits.shape[:-1])
        return end_logits.logsumexp(dim=-1)

    def class_logits(self, states: Tensor, start_logits: Tensor, batch: WindowBatch) -> Tensor:
        """Return logits for "this window does not answer", (batch,)."""
        return self.qa_outputs.class_logits(states, start_logits, batch.cls_positions)


class PretrainedNetwork(nn.Module):
    """Any ``...ForQuestionAnswering`` model of transformers with a linear head ``qa_outputs`` over its encoder.

    The model runs whole, so that what its class does between encoder and head is done here too; ``encode`` returns its
    start and end logits, (batch, length, 2), in the place of hidden states. The head runs in float32.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        head = model.get_submodule("qa_outputs")
        head.register_forward_pre_hook(lambda module, given: (given[0].float(),))

    @property
    def transformer(self) -> PreTrainedModel:
        """The encoder without the head."""
        return self.model.base_model  # type: ignore[return-value]  # the library calls it a plain module

    def encode(self, batch: WindowBatch) -> Tensor:
        """Return the start and end logits of every token, (batch, length, 2), in float32."""
        inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
        if batch.token_types is not None:
            inputs["token_type_ids"] = batch.token_types
        output = self.model(**inputs, return_dict=True)
        return torch.stack((output.start_logits, output.end_logits), dim=-1)

    def start_logits(self, states: Tensor, batch: WindowBatch) -> Tensor:
        """Return start logits, (batch, length), ``MASKED`` where a span may not stand."""
        return states[..., 0].masked_fill(~batch.allowed, MASKED)

    def end_logits(self, states: Tensor, batch: WindowBatch, starts: Tensor) -> Tensor:
        """Return end logits, (batch, starts, length), the same for every start."""
        logits = states[..., 1].masked_fill(~batch.allowed, MASKED)
        return logits.unsqueeze(1).expand(-1, starts.shape[1], -1)

    def end_totals(self, end_logits: Tensor) -> Tensor:
        """Return zeros, (batch, starts): these ends do not depend on starts."""
        return end_logits.new_zeros(end_logits.shape[:-1])

    def class_logits(self, states: Tensor, start_logits: Tensor, batch: WindowBatch) -> Tensor:
        """Return (batch,) NaN: there is no answer class, and no number must pass for one."""
        return states.new_full((len(states),), torch.nan)


def assemble(config: BertConfig, state: dict[str, Tensor], *, source: Path, linear_head: bool = False) -> ReaderNetwork:
    """Build a network of the given shape around the given weights, without copying them.

    Raise ReaderError, which names ``source``, where a weight is missing, left over, or of another shape.
    """
    with torch.device("meta"):
        network = ReaderNetwork(config, linear_head=linear_head)
    try:
        network.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ReaderError(f"the weights in {source} do not fit their configuration: {reason}") from error
    network.materialize_buffers()
    return network


def new_network(config: BertConfig, encoder_state: dict[str, Tensor], *, seed: int) -> ReaderNetwork:
    """Build a network with the given encoder weights and a fresh head (normal, deviation 0.02, as BERT's layers)."""
    network = ReaderNetwork(config)
    network.transformer.load_state_dict(encoder_state, strict=True)
    generator = torch.Generator().manual_seed(seed)
    for module in network.qa_outputs.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network
