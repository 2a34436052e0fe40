"""``spanglot calibrate``: fit what turns a reader's scores into probabilities, and say how far they can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import DataOption, DeviceOption, JsonOption

if TYPE_CHECKING:
    from rich.table import Table

    from service.calibrating import CalibrationFigures, CalibrationReport

ReaderArgument = Annotated[str, typer.Argument(metavar="READER", help="The directory of a reader of Spanglot's form.")]
RecipeOption = Annotated[str, typer.Option("--recipe", metavar="FILE", help="The recipe that says what is held out.")]
MostOption = Annotated[
    int | None,
    typer.Option("--most", metavar="N", min=1, help="Held-out questions of each language; few where left out."),
]
ChartsOption = Annotated[
    str | None,
    typer.Option("--charts", metavar="DIR", help="Draw the reliability diagram and the risk-coverage curve there."),
]


def calibrate(
    reader: ReaderArgument,
    recipe: RecipeOption,
    data: DataOption,
    most: MostOption = None,
    charts: ChartsOption = None,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Fit a reader's calibration on held-out questions, keep it with the reader, and measure it."""
    from rich.progress import Progress

    from reader.charts import require_charts
    from service.commands import console, quiet
    from service.fitting import fit_reader

    quiet.quiet_libraries()
    folder = None if charts is None else Path(charts)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        require_charts(folder / "reliability.svg")
    notices = console.notices()
    with Progress(console=notices, disable=not notices.is_terminal) as bar:
        task = bar.add_task("asking", total=None)
        report = fit_reader(
            Path(reader),
            Path(recipe),
            Path(data),
            device=device,
            most=most,
            say=notices.print,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if json:
        console.write_json(report_json(report))
    else:
        console.results().print(_table(report))
    if folder is not None:
        _draw(report, folder)


def report_json(report: CalibrationReport) -> dict[str, object]:
    """Return what ``--json`` prints; figures from 0 to 1, those that cannot be computed as null."""
    curve = report.risk_coverage
    return {
        "threshold": report.calibration.threshold,
        **figures_json(report.overall),
        "risk_coverage_area": round(curve.area, 4),
        "by_language": {language: figures_json(figures) for language, figures in report.by_language.items()},
        "bins": [
            {"count": bin.count, "confidence": round(bin.confidence, 4), "accuracy": round(bin.accuracy, 4)}
            for bin in report.bins
        ],
    }


def figures_json(figures: CalibrationFigures) -> dict[str, object]:
    """Return the figures of some questions."""
    return {
        "questions": figures.questions,
        "accuracy": round(figures.accuracy, 4),
        "calibration_error": round(figures.calibration_error, 4),
        "auroc": None if figures.auroc != figures.auroc else round(figures.auroc, 4),
    }


def _table(report: CalibrationReport) -> Table:
    from rich import box
    from rich.table import Table

    caption = (
        f"Threshold {report.calibration.threshold:.2f}; area under the risk-coverage curve "
        f"{report.risk_coverage.area:.3f}. Every question is measured by a calibration fitted on the other half."
    )
    table = Table("language", box=box.SIMPLE, caption=caption)
    for heading in ("questions", "right", "calibration error", "AUROC"):
        table.add_column(heading, justify="right")
    for name, figures in (*report.by_language.items(), ("all", report.overall)):
        table.add_row(
            name,
            f"{figures.questions:,}",
            f"{100 * figures.accuracy:.1f} %",
            f"{figures.calibration_error:.3f}",
            "-" if figures.auroc != figures.auroc else f"{figures.auroc:.3f}",
        )
    return table


def _draw(report: CalibrationReport, folder: Path) -> None:
    from reader import charts

    bins, curve = report.bins, report.risk_coverage
    charts.reliability_diagram(
        [bin.confidence for bin in bins],
        [bin.accuracy for bin in bins],
        [bin.count for bin in bins],
        folder / "reliability.svg",
    )
    charts.risk_coverage_curve(curve.coverage.tolist(), curve.risk.tolist(), curve.area, folder / "risk-coverage.svg")
