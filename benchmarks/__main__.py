"""``python -m benchmarks``: the reader's speed beside transformers' own XLM, with the same weights, in one run."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable

import torch

from benchmarks.windows import sample_windows, token_count
from encoder import choose_compute
from reader.checkpoint import default_reader_directory, load_network
from reader.engine import Engine, collate
from reader.exporting import export_xlm
from reader.windows import Window

ROUNDS = 5
PASSAGES = 10


def main() -> None:
    """Time both on the passages of a few questions, in turn, and print medians and the ratio as JSON."""
    from transformers import XLMForQuestionAnswering

    compute = choose_compute()
    network = load_network(default_reader_directory())
    engine = Engine(network, compute, pad=1, beams=8)
    with tempfile.TemporaryDirectory() as scratch:
        peer = XLMForQuestionAnswering.from_pretrained(export_xlm(f"{scratch}/xlm"), dtype=compute.dtype)
    peer = peer.to(compute.device).eval()
    windows = sample_windows(4 * PASSAGES)
    questions = [windows[start : start + PASSAGES] for start in range(0, len(windows), PASSAGES)]

    def native() -> None:
        for group in questions:
            run_native(peer, group, compute.device)

    def ours() -> None:
        for group in questions:
            engine.run(group)

    times = in_turn(ours, native)
    tokens = token_count(windows)
    medians = [statistics.median(each) for each in times]
    ratio = statistics.median(b / a for a, b in zip(*times, strict=True))
    print(
        json.dumps(
            {
                "device": str(compute.device),
                "dtype": str(compute.dtype).removeprefix("torch."),
                "windows_per_question": PASSAGES,
                "tokens_per_question": tokens // len(questions),
                "spanglot_ms_per_question": round(1000 * medians[0] / len(questions), 1),
                "transformers_xlm_ms_per_question": round(1000 * medians[1] / len(questions), 1),
                "spanglot_tokens_per_second": round(tokens / medians[0]),
                "times_faster": round(ratio, 2),
            },
            indent=2,
        )
    )


@torch.inference_mode()
def run_native(peer: torch.nn.Module, windows: list[Window], device: torch.device) -> None:
    """Run transformers' own forward pass on one padded batch."""
    batch = collate(windows, 1, device)
    peer(
        batch.input_ids,
        attention_mask=batch.attention_mask,
        cls_index=batch.cls_positions,
        p_mask=(~batch.allowed).float(),
    )


def in_turn(first: Callable[[], None], second: Callable[[], None]) -> tuple[list[float], list[float]]:
    """Time both in turn, after one round that is not counted."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS + 1):
        for place, run in enumerate((first, second)):
            began = time.perf_counter()
            run()
            if turn:
                times[place].append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    main()
