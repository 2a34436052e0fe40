"""Charts: what they show is read from the text of the SVG."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from reader import ReaderError, charts
from reader.training import TrainingProgress

NAN = float("nan")


def rows(count: int) -> list[TrainingProgress]:
    return [
        TrainingProgress(
            step=step,
            steps=count,
            tokens=1000 * step,
            tokens_per_second=500.0,
            loss=4.0 / step,
            start_loss=3.0 / step,
            end_loss=2.0 / step,
            class_loss=1.0 / step,
            seconds=2.0 * step,
        )
        for step in range(1, count + 1)
    ]


DRAW: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "bars": (
        lambda path: charts.bar_chart({"el": 61.26, "zh-Hant": 40.0}, "F1 of $x$ & y", path),
        {"el", "zh-Hant", "61.3", "40.0", "mean 50.6", "F1 of $x$ & y"},
    ),
    "map": (
        lambda path: charts.heat_map({("el", "de"): 71.4, ("el", "el"): 12.0, ("de", "de"): 55.0}, "F1", path),
        {"el", "de", "71", "12", "55", "language of the question", "language of the passage"},
    ),
    "losses": (
        lambda path: charts.loss_curve(rows(3), path),
        {"loss", "start", "end", "answerable or not", "tokens", "tokens/s"},
    ),
    "reliability": (
        lambda path: charts.reliability_diagram([0.1, NAN, 0.9], [0.2, NAN, 0.8], [37, 0, 411], path),
        {"37", "411", "confidence", "share that is right"},
    ),
    "risk": (lambda path: charts.risk_coverage_curve([0.5, 1.0], [0.1, 0.3], 0.1234, path), {"area 0.123"}),
}
EMPTY: list[Callable[[Path], None]] = [
    lambda path: charts.bar_chart({}, "none", path),
    lambda path: charts.heat_map({}, "none", path),
    lambda path: charts.loss_curve([], path),
    lambda path: charts.reliability_diagram([], [], [], path),
    lambda path: charts.risk_coverage_curve([], [], 0.0, path),
]


@pytest.mark.parametrize("name", DRAW)
def test_a_chart_says_what_it_was_given_and_is_the_same_file_every_time(name: str, tmp_path: Path) -> None:
    draw, expected = DRAW[name]
    draw(tmp_path / "first.svg")
    draw(tmp_path / "second.svg")
    shown = unescape((tmp_path / "first.svg").read_text(encoding="utf-8"))
    assert set(re.findall(r"<text[^>]*>([^<]*)</text>", shown)) >= expected
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()


@pytest.mark.parametrize("name", DRAW)
def test_a_png_is_a_png(name: str, tmp_path: Path) -> None:
    DRAW[name][0](tmp_path / "chart.PNG")
    assert (tmp_path / "chart.PNG").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("draw", EMPTY)
def test_nothing_to_show_gives_an_empty_chart(draw: Callable[[Path], None], tmp_path: Path) -> None:
    draw(tmp_path / "chart.svg")
    assert "</svg>" in (tmp_path / "chart.svg").read_text(encoding="utf-8")


def test_an_absent_pair_is_left_blank(tmp_path: Path) -> None:
    charts.heat_map({("el", "de"): 71.0, ("de", "el"): 33.0}, "F1", tmp_path / "chart.svg")
    shown = re.findall(r"<text[^>]*>([^<]*)</text>", (tmp_path / "chart.svg").read_text(encoding="utf-8"))
    assert (shown.count("71"), shown.count("33"), shown.count("nan")) == (1, 1, 0)


def test_no_state_of_pyplot_is_touched(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from reader import charts; assert 'matplotlib' not in sys.modules;"
        f"charts.bar_chart({{'el': 1.0}}, '', pathlib.Path({str(tmp_path / 'chart.svg')!r}));"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("chart.pdf", "chart.pdf: charts are written as .svg or .png"),
        ("chart", "chart: charts are written as .svg or .png"),
        ("missing/chart.svg", "there is no folder .*missing; make it first"),
    ],
)
def test_a_place_that_will_not_do_is_named(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=message):
        charts.bar_chart({"el": 1.0}, "", tmp_path / name)


def test_without_matplotlib_the_cure_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ReaderError, match=r"charts need matplotlib .*: pip install 'spanglot\[charts\]'"):
        charts.loss_curve(rows(1), tmp_path / "chart.svg")
