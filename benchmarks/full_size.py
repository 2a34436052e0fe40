"""``python -m benchmarks.full_size``: the architecture of the founding checkpoint in full size, and what it needs.

16 layers of 1,280 over 200,000 pieces, with random weights that are made on the fly (2.3 GB in a temporary directory).
Our engine and transformers' own XLM run in processes of their own, one after the other, so that each has its own peak
memory; windows have the lengths of the sample questions on ten passages of the sample corpus.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.__main__ import PASSAGES, load_peer, name_of, run_native
from benchmarks.windows import sample_windows, token_count
from encoder import choose_compute
from reader.engine import Engine
from reader.windows import Window
from reader.xlm import load_xlm_network, read_config

ROUNDS = 3
WEIGHTS = "model.safetensors"


def main() -> None:
    """Run the sides that are asked for in processes of their own, and print what they say as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full_size", description="XLM in full size.")
    parser.add_argument("--side", choices=("make", "spanglot", "transformers"), help=argparse.SUPPRESS)
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side == "make":
        make(given.directory)
    elif given.side is not None:
        print(json.dumps(side(given.side, given.directory, getattr(torch, given.dtype))))
    else:
        print(json.dumps(compare(), indent=2))


def compare() -> dict[str, object]:
    """Measure our engine in the probed dtype, and transformers in that one and in float32."""
    probed = name_of(choose_compute().dtype)
    with tempfile.TemporaryDirectory() as scratch:
        run_side("make", "float32", scratch)
        ours = run_side("spanglot", probed, scratch)
        theirs = {dtype: run_side("transformers", dtype, scratch) for dtype in dict.fromkeys((probed, "float32"))}
    for figures in theirs.values():
        figures["times_slower"] = round(figures["ms_per_question"] / ours["ms_per_question"], 2)
    return {"dtype": probed, "spanglot": ours, "transformers_xlm": theirs}


def run_side(which: str, dtype: str, directory: str) -> dict[str, float]:
    """Run one side in a process of its own and return what it printed."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.full_size",
        "--side",
        which,
        "--dtype",
        dtype,
        "--directory",
        directory,
    ]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: dict[str, float] = json.loads(printed) if printed else {}
    return figures


def make(directory: Path) -> None:
    """Write the checkpoint: the shape of the founding one, weights at random."""
    from transformers import XLMConfig, XLMForQuestionAnswering

    torch.manual_seed(1)
    config = XLMConfig(vocab_size=200_000, emb_dim=1280, n_layers=16, n_heads=16, n_langs=1, use_lang_emb=False)
    XLMForQuestionAnswering(config).save_pretrained(directory)


def side(which: str, directory: Path, dtype: torch.dtype) -> dict[str, float]:
    """Load one side, time it on one question's windows, and return milliseconds and the peak of the process."""
    compute, windows = choose_compute(), random_pieces(sample_windows(PASSAGES))
    run: Callable[[], object]
    if which == "spanglot":
        _, network = load_xlm_network(directory / WEIGHTS, read_config(directory))
        engine = Engine(network, compute, pad=2, beams=5)

        def run() -> object:
            return engine.run(windows)
    else:
        peer = load_peer(directory, dtype, compute.device)

        def run() -> object:
            return run_native(peer, windows, compute.device)

    times = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kibibytes on Linux
    return {
        "ms_per_question": round(1000 * statistics.median(times[1:]), 1),
        "tokens": token_count(windows),
        "peak_gib": round(peak / 2**20, 2),
    }


def random_pieces(windows: list[Window]) -> list[Window]:
    """Put other pieces into the windows: the base encoder's are not those of an XLM vocabulary."""
    drawn = np.random.default_rng(1)
    return [replace(window, ids=tuple(drawn.integers(6, 200_000, len(window.ids)).tolist())) for window in windows]


if __name__ == "__main__":
    main()
