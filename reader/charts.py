"""Charts of figures: each function draws one, into an SVG or PNG file by the ending of its name.

matplotlib draws them, which comes with ``pip install 'spanglot[charts]'``. Figures are made without pyplot, so nothing
is shown and nothing is kept between calls. The same values give the same file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reader.errors import ReaderError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from reader.training import TrainingProgress

_ENDINGS = (".png", ".svg")
_BLUE, _GREY = "#2f6db5", "#777777"


def require_charts(path: Path) -> None:
    """Raise ReaderError where no chart could be written to ``path``: to be asked before long work."""
    if path.suffix.lower() not in _ENDINGS:
        raise ReaderError(f"{path}: charts are written as .svg or .png; give a name that ends so")
    if not path.parent.is_dir():
        raise ReaderError(f"{path}: there is no folder {path.parent}; make it first")
    try:
        import matplotlib.figure  # noqa: F401  # only whether it is there
    except ImportError as error:
        raise ReaderError(f"charts need matplotlib ({error}): pip install 'spanglot[charts]'") from error


def bar_chart(values: Mapping[str, float], title: str, path: Path) -> None:
    """Draw a bar for each language in the order given, in percent, and a line at their plain mean."""
    figure = _figure(path, 2.5 + 0.5 * len(values), 3.6)
    axes = figure.add_subplot()
    axes.bar_label(axes.bar(range(len(values)), list(values.values()), color=_BLUE), fmt="%.1f", fontsize=8)
    if values:
        mean = sum(values.values()) / len(values)
        axes.axhline(mean, color=_GREY, linestyle="--", linewidth=1, zorder=0, label=f"mean {mean:.1f}")
        figure.legend(loc="outside lower right", frameon=False)
    axes.set_xticks(range(len(values)), list(values))
    axes.set_ylim(0, 108)
    _name(axes, title, "language", "percent")
    _save(figure, path)


def heat_map(table: Mapping[tuple[str, str], float], title: str, path: Path) -> None:
    """Draw percents by (question's language, passage's language): a row and a column for each; absent pairs blank."""
    asked, shown = (sorted({pair[side] for pair in table}) for side in (0, 1))
    cells = [[table.get((row, column), float("nan")) for column in shown] for row in asked]
    figure = _figure(path, 2.5 + 0.5 * len(shown), 2.0 + 0.42 * len(asked))
    axes = figure.add_subplot()
    if cells:
        figure.colorbar(axes.imshow(cells, cmap="viridis", vmin=0, vmax=100, aspect="auto"), ax=axes, label="percent")
    for (row, column), value in table.items():
        colour = "black" if value > 60 else "white"  # the upper end of the colours is light
        place = shown.index(column), asked.index(row)
        axes.text(*place, f"{value:.0f}", ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(shown)), shown)
    axes.set_yticks(range(len(asked)), asked)
    _name(axes, title, "language of the passage", "language of the question")
    _save(figure, path)


def loss_curve(rows: Sequence[TrainingProgress], path: Path) -> None:
    """Draw the running means of the loss and its parts, and the tokens per second, over the tokens seen."""
    figure = _figure(path, 7.0, 5.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    tokens = [row.tokens for row in rows]
    for label, losses in (
        ("loss", [row.loss for row in rows]),
        ("start", [row.start_loss for row in rows]),
        ("end", [row.end_loss for row in rows]),
        ("answerable or not", [row.class_loss for row in rows]),
    ):
        # A short run is saved once: without a marker its one point could not be seen.
        upper.plot(tokens, losses, marker="o", markersize=2.5, linewidth=2 if label == "loss" else 1, label=label)
    upper.legend(frameon=False)
    lower.plot(tokens, [row.tokens_per_second for row in rows], marker="o", markersize=2.5, color=_GREY)
    lower.set_ylim(bottom=0)
    _name(upper, "Training", "", "loss")
    _name(lower, "", "tokens", "tokens/s")
    _save(figure, path)


def reliability_diagram(
    confidence: Sequence[float], accuracy: Sequence[float], counts: Sequence[int], path: Path
) -> None:
    """Draw the accuracy over the mean confidence of each bin, 0 to 1, its count beside it; empty bins are left out."""
    filled = [each for each in zip(confidence, accuracy, counts, strict=True) if each[2]]
    figure = _figure(path, 4.8, 4.6)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    axes.plot([p for p, _, _ in filled], [right for _, right, _ in filled], marker="o", color=_BLUE, label="measured")
    for p, right, count in filled:
        axes.annotate(f"{count}", (p, right), xytext=(4, -10), textcoords="offset points", fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False, loc="upper left")
    _name(axes, "Reliability, with the number of answers", "confidence", "share that is right")
    _save(figure, path)


def risk_coverage_curve(coverage: Sequence[float], risk: Sequence[float], area: float, path: Path) -> None:
    """Draw the share of wrong answers over the share of questions that are answered, both 0 to 1, and name the area."""
    figure = _figure(path, 4.8, 3.8)
    axes = figure.add_subplot()
    axes.plot(coverage, risk, color=_BLUE, label=f"area {area:.3f}")
    axes.fill_between(coverage, risk, color=_BLUE, alpha=0.15)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="upper left")
    _name(axes, "Risk and coverage", "coverage: share answered", "risk: share of those that is wrong")
    _save(figure, path)


def _figure(path: Path, width: float, height: float) -> Figure:
    require_charts(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _name(axes: Axes, title: str, below: str, beside: str) -> None:
    axes.set_title(title, fontsize=10, parse_math=False)  # a reader's name may hold dollar signs
    axes.set_xlabel(below)
    axes.set_ylabel(beside)
    axes.spines[["top", "right"]].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    import matplotlib

    # Text stays text in an SVG; a fixed salt and no date make the file a function of the values.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "spanglot"}):
        figure.savefig(path, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
