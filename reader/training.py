"""Train a reader: the base encoder under the beam head, the vocabulary frozen."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from encoder.attention import set_attention
from encoder.batching import token_budget_batches
from encoder.compute import Compute
from reader.distillation import Distillation
from reader.errors import ReaderError
from reader.examples import TrainingWindow
from reader.network import ReaderNetwork, WindowBatch
from reader.recipe import Recipe

STATE_FILE = "state.pt"
LOG_FILE = "log.jsonl"
_SORTED_BLOCK = 512  # windows that are sorted by length together, then batched and shuffled
_PAD = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProgress:
    """Where a run stands; losses are running means."""

    step: int
    steps: int
    tokens: int
    tokens_per_second: float
    loss: float
    start_loss: float
    end_loss: float
    class_loss: float
    seconds: float


def read_log(path: Path) -> list[TrainingProgress]:
    """Read a run's log; of several runs in it, each counting its steps anew, the last. Raise ReaderError if damaged."""
    rows: list[TrainingProgress] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = TrainingProgress(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise ReaderError(f"{path}, line {number}: not a row of the log ({error}); delete the line") from error
        if rows and row.step <= rows[-1].step:
            rows.clear()
        rows.append(row)
    return rows


def plan_batches(lengths: Sequence[int], recipe: Recipe) -> list[list[int]]:
    """Group windows of like length within blocks, and shuffle the batches; the same plan for the same input.

    The plan ends with the batch that reaches the recipe's number of tokens.
    """
    shuffled = np.random.default_rng(recipe.seed)
    plan: list[list[int]] = []
    for block in range(0, len(lengths), _SORTED_BLOCK):
        members = range(block, min(block + _SORTED_BLOCK, len(lengths)))
        batches = token_budget_batches([lengths[i] for i in members], budget=recipe.batch_tokens)
        plan += [[block + i for i in batches[j]] for j in shuffled.permutation(len(batches))]
    tokens = np.cumsum([sum(lengths[i] for i in batch) for batch in plan])
    return plan[: 1 + int(np.searchsorted(tokens, recipe.tokens))]


def collate(windows: Sequence[TrainingWindow], device: torch.device) -> WindowBatch:
    """Pad windows to one batch; a span may stand on CLS and in the passage, not on its closing separator."""
    longest = max(len(window.ids) for window in windows)
    ids = torch.full((len(windows), longest), _PAD)
    mask = torch.zeros((len(windows), longest), dtype=torch.long)
    allowed = torch.zeros((len(windows), longest), dtype=torch.bool)
    for row, window in enumerate(windows):
        size = len(window.ids)
        ids[row, :size] = torch.from_numpy(window.ids.astype(np.int64))
        mask[row, :size] = 1
        allowed[row, window.passage_start : size - 1] = True
    allowed[:, 0] = True
    cls_positions = torch.zeros(len(windows), dtype=torch.long)
    return WindowBatch(
        input_ids=ids.to(device),
        attention_mask=mask.to(device),
        allowed=allowed.to(device),
        cls_positions=cls_positions.to(device),
    )


def losses(
    network: ReaderNetwork,
    windows: Sequence[TrainingWindow],
    compute: Compute,
    distillation: Distillation | None = None,
) -> Tensor:
    """Return the mean start, conditional end and class losses of a batch, (3,).

    Unanswered windows point at CLS; the end is conditional on the gold start; the class loss sees the expected start
    state, as at inference. With ``distillation``, the teacher's logits have their share in each.
    """
    batch = collate(windows, compute.device)
    starts = torch.tensor([window.start for window in windows], device=compute.device)
    ends = torch.tensor([window.end for window in windows], device=compute.device)
    logits = _logits(network, batch, starts, compute)
    hard = torch.stack(
        (
            nn.functional.cross_entropy(logits[0], starts),
            nn.functional.cross_entropy(logits[1], ends),
            nn.functional.binary_cross_entropy_with_logits(logits[2], (starts == 0).float()),
        )
    )
    if distillation is None:
        return hard
    with torch.no_grad():
        taught = _logits(distillation.teacher, batch, starts, compute)
    return distillation.mix(hard, logits, taught)


def _logits(
    network: ReaderNetwork, batch: WindowBatch, starts: Tensor, compute: Compute
) -> tuple[Tensor, Tensor, Tensor]:
    """Return start logits, end logits given ``starts`` (batch,), both (batch, length), and class logits (batch,)."""
    reduced = compute.dtype != torch.float32
    with torch.autocast(compute.device.type, dtype=compute.dtype if reduced else None, enabled=reduced):
        states = network.encode(batch)
    start_logits = network.start_logits(states, batch)
    end_logits = network.end_logits(states, batch, starts.unsqueeze(1)).squeeze(1)
    return start_logits, end_logits, network.class_logits(states, start_logits, batch)


class Trainer:
    """One training run, saved to ``directory`` and resumed from there."""

    def __init__(
        self,
        network: ReaderNetwork,
        recipe: Recipe,
        compute: Compute,
        directory: Path,
        distillation: Distillation | None = None,
    ) -> None:
        self._network = network.to(compute.device)
        self._recipe = recipe
        self._compute = compute
        self._directory = directory
        set_attention(network.transformer, compute)
        self._distillation = distillation
        if distillation is not None:
            set_attention(distillation.teacher.to(compute.device).eval().transformer, compute)
        _freeze(network, recipe.frozen_layers)
        self._optimizer = _optimizer(network, recipe)
        self._step = 0
        self._tokens = 0
        self._seconds = 0.0
        self._mean = torch.zeros(3)

    def run(
        self,
        windows: Sequence[TrainingWindow],
        *,
        save_every: float = 300.0,
        progress: Callable[[TrainingProgress], None] = lambda now: None,
    ) -> TrainingProgress:
        """Train on the planned batches, from where a saved run stopped, and return where the run ended.

        The state is saved every ``save_every`` seconds and at the end.
        """
        plan = plan_batches([len(window.ids) for window in windows], self._recipe)
        self._resume(len(plan))
        saved = time.monotonic()
        for now in self._steps(windows, plan):
            progress(now)
            if time.monotonic() - saved > save_every or now.step == now.steps:
                self._save(now)
                saved = time.monotonic()
        return self._progress(len(plan))

    def _steps(self, windows: Sequence[TrainingWindow], plan: Sequence[Sequence[int]]) -> Iterator[TrainingProgress]:
        self._network.train()
        parameters = [p for p in self._network.parameters() if p.requires_grad]
        for step in range(self._step, len(plan)):
            began = time.monotonic()
            batch = [windows[i] for i in plan[step]]
            _set_rate(self._optimizer, _schedule(step, len(plan), self._recipe))
            parts = losses(self._network, batch, self._compute, self._distillation)
            (0.5 * (parts[0] + parts[1]) + 0.5 * parts[2]).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, 1.0)
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
            self._step, self._tokens = step + 1, self._tokens + sum(len(window.ids) for window in batch)
            self._seconds += time.monotonic() - began
            fade = min(0.98, 1 - 1 / (step + 1))
            self._mean = fade * self._mean + (1 - fade) * parts.detach().cpu()
            yield self._progress(len(plan))

    def _progress(self, steps: int) -> TrainingProgress:
        start, end, answerable = self._mean.tolist()
        return TrainingProgress(
            step=self._step,
            steps=steps,
            tokens=self._tokens,
            tokens_per_second=self._tokens / max(self._seconds, 1e-9),
            loss=0.5 * (start + end + answerable),
            start_loss=start,
            end_loss=end,
            class_loss=answerable,
            seconds=self._seconds,
        )

    def _save(self, now: TrainingProgress) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        state = {
            "network": {k: v for k, v in self._network.state_dict().items() if "word_embeddings" not in k},
            "optimizer": self._optimizer.state_dict(),
            "step": self._step,
            "tokens": self._tokens,
            "seconds": self._seconds,
            "mean": self._mean,
            "recipe": repr(self._recipe),
        }
        part = self._directory / f"{STATE_FILE}.part"
        torch.save(state, part)
        part.replace(self._directory / STATE_FILE)
        with (self._directory / LOG_FILE).open("a", encoding="utf-8") as log:
            log.write(json.dumps(asdict(now)) + "\n")

    def _resume(self, steps: int) -> None:
        path = self._directory / STATE_FILE
        if not path.is_file():
            return
        state = torch.load(path, map_location=self._compute.device, weights_only=True)
        if state["recipe"] != repr(self._recipe) or state["step"] > steps:
            raise ReaderError(f"{path} belongs to another recipe: give another directory, or delete that file")
        self._network.load_state_dict(state["network"], strict=False)
        self._optimizer.load_state_dict(state["optimizer"])
        self._step, self._tokens, self._seconds = state["step"], state["tokens"], state["seconds"]
        self._mean = state["mean"]


def _freeze(network: ReaderNetwork, layers: int) -> None:
    frozen = [network.transformer.embeddings, *network.transformer.encoder.layer[:layers]]
    for module in frozen:
        module.requires_grad_(False)


def _optimizer(network: ReaderNetwork, recipe: Recipe) -> torch.optim.Optimizer:
    groups = []
    for module, rate in (
        (network.transformer, recipe.learning_rate),
        (network.qa_outputs, recipe.head_learning_rate),
    ):
        trained = [p for p in module.parameters() if p.requires_grad]
        matrices, vectors = [p for p in trained if p.ndim > 1], [p for p in trained if p.ndim == 1]
        groups += [
            {"params": matrices, "lr": rate, "peak": rate, "weight_decay": recipe.weight_decay},
            {"params": vectors, "lr": rate, "peak": rate, "weight_decay": 0.0},
        ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6, fused=True)


def _schedule(step: int, steps: int, recipe: Recipe) -> float:
    rising = max(1, round(recipe.warmup * steps))
    left = (steps - step) / max(1, steps - rising)
    return min((step + 1) / rising, recipe.final_rate + (1 - recipe.final_rate) * left)


def _set_rate(optimizer: torch.optim.Optimizer, share: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share
