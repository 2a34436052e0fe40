"""``spanglot train``: the chart of its log, and the notice where there is none."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

from service.commands.train import draw_losses

ROW = {
    "step": 1,
    "steps": 2,
    "tokens": 3000,
    "tokens_per_second": 900.0,
    "loss": 2.0,
    "start_loss": 1.5,
    "end_loss": 1.5,
    "class_loss": 1.0,
    "seconds": 3.0,
}


def notices_of(run: Path) -> str:
    console = Console(width=400, force_terminal=False, highlight=False, markup=False)
    with console.capture() as captured:
        draw_losses(run, console)
    return captured.get()


def write_log(run: Path, text: str) -> None:
    (run / "log.jsonl").write_text(text, encoding="utf-8")


def test_the_log_is_drawn_beside_it(tmp_path: Path) -> None:
    write_log(tmp_path, json.dumps(ROW) + "\n" + json.dumps({**ROW, "step": 2, "tokens": 6000}) + "\n")
    assert notices_of(tmp_path) == ""
    assert "tokens/s" in (tmp_path / "loss.svg").read_text(encoding="utf-8")


def test_one_notice_says_that_matplotlib_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    write_log(tmp_path, json.dumps(ROW) + "\n")
    said = notices_of(tmp_path)
    assert said.startswith("no loss.svg: charts need matplotlib")
    assert "pip install 'spanglot[charts]'" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "loss.svg").exists()


def test_a_damaged_log_ends_no_training(tmp_path: Path) -> None:
    write_log(tmp_path, '{"step": 1')
    assert notices_of(tmp_path).startswith("no loss.svg: ")
    (tmp_path / "log.jsonl").unlink()
    assert notices_of(tmp_path).startswith("no loss.svg: ")
