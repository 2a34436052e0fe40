"""Run the network over windows: batches by token budget, on the probed device, in the probed dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from encoder.attention import set_attention
from encoder.batching import token_budget_batches
from encoder.compute import Compute
from reader.decoding import WindowLogits
from reader.network import PretrainedNetwork, ReaderNetwork, WindowBatch

if TYPE_CHECKING:
    from reader.windows import Window

# A CPU is fastest while the widest activations of a batch stay in its caches.
_CPU_BUDGET, _GPU_BUDGET = 2_048, 65_536
# Sums are rounded by the length that they run over. So windows are padded to multiples of this, each by its own length,
# and only windows of one width share a batch: what a window gets does not depend on what it is read with.
_WIDTH_STEP = 32


class Engine:
    """A network on its device, answering for any number of windows at once."""

    def __init__(self, network: ReaderNetwork | PretrainedNetwork, compute: Compute, *, pad: int, beams: int) -> None:
        self._network = network.to(compute.device).eval().requires_grad_(False)
        set_attention(self._network.transformer, compute)
        self._network.transformer.to(compute.dtype)  # type: ignore[arg-type]  # the wrapper's type is wrong
        self._device = compute.device
        self._pad = pad
        self._beams = beams
        self._budget = _CPU_BUDGET if compute.device.type == "cpu" else _GPU_BUDGET

    def run(self, windows: Sequence[Window]) -> list[WindowLogits]:
        """Return the logits of each window, in the order given; batch size and order do not change them."""
        widths = [self._width(len(window.ids)) for window in windows]
        results: dict[int, WindowLogits] = {}
        for batch in token_budget_batches(widths, budget=self._budget, alike=True):
            answers = self._run_batch([windows[i] for i in batch], widths[batch[0]])
            results.update(zip(batch, answers, strict=True))
        return [results[i] for i in range(len(windows))]

    def _width(self, length: int) -> int:
        width = -(-length // _WIDTH_STEP) * _WIDTH_STEP
        positions = getattr(self._network.transformer.config, "max_position_embeddings", width)
        return max(length, min(width, positions))

    @torch.inference_mode()
    def _run_batch(self, windows: Sequence[Window], width: int) -> list[WindowLogits]:
        network, batch = self._network, collate(windows, self._pad, self._device, width)
        states = network.encode(batch)
        start_logits = network.start_logits(states, batch)
        class_logits = network.class_logits(states, start_logits, batch)
        cls_column = batch.cls_positions.unsqueeze(1)
        passage_only = start_logits.scatter(1, cls_column, -torch.inf)
        beams = passage_only.topk(min(self._beams, passage_only.shape[1]), dim=1).indices
        end_logits = network.end_logits(states, batch, torch.cat((beams, cls_column), dim=1))
        rows = torch.arange(len(windows), device=self._device)
        totals = network.end_totals(end_logits)
        null_ends = end_logits[rows, -1, batch.cls_positions] - totals[:, -1]
        null_scores = start_logits[rows, batch.cls_positions] + null_ends
        starts, ends, ends_of_start = start_logits.cpu().numpy(), end_logits.cpu().numpy(), totals.cpu().numpy()
        tops, nulls, classes = beams.cpu().numpy(), null_scores.tolist(), class_logits.tolist()
        return [
            WindowLogits(
                start_logits=starts[row, : len(window.ids)],
                starts=tops[row],
                end_logits=ends[row, :-1, : len(window.ids)],
                end_totals=ends_of_start[row, :-1],
                null_score=nulls[row],
                class_logit=classes[row],
            )
            for row, window in enumerate(windows)
        ]


def collate(windows: Sequence[Window], pad: int, device: torch.device, width: int | None = None) -> WindowBatch:
    """Pad windows to one batch, of the longest one's width if none is given.

    A span may stand on the CLS token and in the passage, nowhere else.
    """
    shape = (len(windows), max(len(window.ids) for window in windows) if width is None else width)
    ids = np.full(shape, pad, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    allowed = np.zeros(shape, dtype=np.bool_)
    cls_positions = np.array([window.cls_position for window in windows])
    types = np.zeros(shape, dtype=np.int64) if any(window.token_types for window in windows) else None
    for row, window in enumerate(windows):
        ids[row, : len(window.ids)] = window.ids
        mask[row, : len(window.ids)] = 1
        allowed[row, window.passage_start : window.passage_end] = True
        if types is not None:
            types[row, : len(window.token_types)] = window.token_types
    allowed[np.arange(len(windows)), cls_positions] = True
    return WindowBatch(
        input_ids=torch.from_numpy(ids).to(device),
        attention_mask=torch.from_numpy(mask).to(device),
        allowed=torch.from_numpy(allowed).to(device),
        cls_positions=torch.from_numpy(cls_positions).to(device),
        token_types=None if types is None else torch.from_numpy(types).to(device),
    )
