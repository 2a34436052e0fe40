"""``make gpu``: the GPU gives the CPU's spans in float32, and how many tokens a second it reads."""

from __future__ import annotations

import json
import sys
import time

import torch

from benchmarks.windows import sample_windows, token_count
from encoder import Compute, choose_compute
from reader.checkpoint import default_reader_directory, load_network
from reader.decoding import decode_window
from reader.engine import Engine
from reader.windows import Window

WINDOWS = 120


def main() -> int:
    """Compare and time; exit 1 where a best span differs although its lead is clear."""
    if not torch.cuda.is_available():
        print("not run: no GPU")
        return 0
    windows = sample_windows(WINDOWS)
    gpu = torch.device("cuda")
    on_cpu = best_spans(Compute(torch.device("cpu"), torch.float32), windows)
    on_gpu = best_spans(Compute(gpu, torch.float32), windows)
    differing = sum(
        here[0][:2] != there[0][:2] for here, there in zip(on_cpu, on_gpu, strict=True) if lead(here) > 1e-3
    )
    engine = Engine(load_network(default_reader_directory()), choose_compute("cuda"), pad=1, beams=8)
    engine.run(windows)
    began = time.perf_counter()
    engine.run(windows)
    rate = token_count(windows) / (time.perf_counter() - began)
    print(json.dumps({"windows": len(windows), "differing_spans": differing, "tokens_per_second": round(rate)}))
    return 1 if differing else 0


def best_spans(compute: Compute, windows: list[Window]) -> list[list[tuple[int, int, float]]]:
    """Return the two best spans of each window: first and last token, and score."""
    engine = Engine(load_network(default_reader_directory()), compute, pad=1, beams=8)
    return [
        [
            (span.first, span.last, span.score)
            for span in decode_window(logits, window.passage_start, window.passage_end, max_answer_tokens=30, n_best=2)
        ]
        for window, logits in zip(windows, engine.run(windows), strict=True)
    ]


def lead(spans: list[tuple[int, int, float]]) -> float:
    """Return how far the best span is ahead of the next."""
    return spans[0][2] - spans[1][2] if len(spans) > 1 else float("inf")


if __name__ == "__main__":
    sys.exit(main())
