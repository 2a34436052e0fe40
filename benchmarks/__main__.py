"""``python -m benchmarks``: the reader's speed beside transformers' own XLM, with the same weights, in one run."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

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
    """Time both on the passages of a few questions, in turn, and print medians and the ratios as JSON.

    transformers' XLM runs in the dtype that the probe chose, and in float32, which is its default.
    """
    compute = choose_compute()
    network = load_network(default_reader_directory())
    engine = Engine(network, compute, pad=1, beams=8)
    windows = sample_windows(4 * PASSAGES)
    questions = [windows[start : start + PASSAGES] for start in range(0, len(windows), PASSAGES)]
    dtypes = list(dict.fromkeys((compute.dtype, torch.float32)))
    with tempfile.TemporaryDirectory() as scratch:
        exported = export_xlm(f"{scratch}/xlm")
        peers = [load_peer(exported, dtype, compute.device) for dtype in dtypes]

    def ours() -> None:
        for group in questions:
            engine.run(group)

    def native(peer: torch.nn.Module) -> Callable[[], None]:
        def run() -> None:
            for group in questions:
                run_native(peer, group, compute.device)

        return run

    times, *theirs = in_turn(ours, *map(native, peers))
    tokens = token_count(windows)
    result: dict[str, object] = {
        "device": str(compute.device),
        "dtype": name_of(compute.dtype),
        "windows_per_question": PASSAGES,
        "tokens_per_question": tokens // len(questions),
        "spanglot_ms_per_question": round(1000 * statistics.median(times) / len(questions), 1),
        "spanglot_tokens_per_second": round(tokens / statistics.median(times)),
        "transformers_xlm": {
            name_of(dtype): {
                "ms_per_question": round(1000 * statistics.median(each) / len(questions), 1),
                "times_slower": round(statistics.median(b / a for a, b in zip(times, each, strict=True)), 2),
            }
            for dtype, each in zip(dtypes, theirs, strict=True)
        },
    }
    print(json.dumps(result, indent=2))


def load_peer(directory: Path, dtype: torch.dtype, device: torch.device) -> torch.nn.Module:
    """Load transformers' own model with the same weights."""
    from transformers import XLMForQuestionAnswering

    peer: torch.nn.Module = XLMForQuestionAnswering.from_pretrained(directory, dtype=dtype)
    return peer.to(device).eval()


def name_of(dtype: torch.dtype) -> str:
    """Return a dtype's name without its library's."""
    return str(dtype).removeprefix("torch.")


@torch.inference_mode()
def run_native(peer: torch.nn.Module, windows: list[Window], device: torch.device) -> None:
    """Run transformers' own forward pass on one padded batch."""
    batch = collate(windows, 1, device)
    peer(
        batch.input_ids,
        attention_mask=batch.attention_mask,
        cls_index=batch.cls_positions,
        p_mask=(~batch.allowed).to(next(peer.parameters()).dtype),
    )


def in_turn(*runs: Callable[[], None]) -> list[list[float]]:
    """Time all in turn, after one round that is not counted; a list of times for each."""
    times: list[list[float]] = [[] for _ in runs]
    for turn in range(ROUNDS + 1):
        for place, run in enumerate(runs):
            began = time.perf_counter()
            run()
            if turn:
                times[place].append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    main()
