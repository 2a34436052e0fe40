"""``spanglot train``: make a reader from questions with known answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.calibrate import report_json
from service.commands.options import DataOption, DeviceOption, JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from reader.fine_tuning import TrainingReport
    from reader.training import TrainingProgress
    from service.calibrating import CalibrationReport

IntoOption = Annotated[str, typer.Option("--into", metavar="DIR", help="Where the reader and the run's state go.")]
RecipeOption = Annotated[
    str | None,
    typer.Option("--recipe", metavar="FILE", help="A TOML recipe; the shipped reader's first where left out."),
]
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="DIR", help="A reader to go on from; the base encoder where left out.")
]
NameOption = Annotated[str, typer.Option("--name", help="The reader's name.")]


def train(
    data: DataOption,
    into: IntoOption,
    recipe: RecipeOption = None,
    start: FromOption = None,
    name: NameOption = "spanglot-reader",
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Train a reader by a recipe; run again, it goes on where it stopped. Ask it with --reader."""
    from rich.progress import Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from reader.fine_tuning import default_recipe, fine_tune
    from service.commands import console, quiet
    from service.fitting import fit_reader
    from service.mining import nearest_passages

    quiet.quiet_libraries()
    recipe_path = default_recipe() if recipe is None else Path(recipe)
    notices = console.notices()
    columns = (
        *Progress.get_default_columns()[:2],
        TextColumn("loss {task.fields[loss]:.3f}, {task.fields[speed]:,.0f} tokens/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notices, disable=not notices.is_terminal) as bar:
        task = bar.add_task("training", total=None, loss=0.0, speed=0.0)

        def show(now: TrainingProgress) -> None:
            bar.update(task, completed=now.step, total=now.steps, loss=now.loss, speed=now.tokens_per_second)
            if not notices.is_terminal and (now.step % 50 == 0 or now.step == now.steps):
                notices.print(f"step {now.step}/{now.steps} loss {now.loss:.3f} {now.tokens_per_second:,.0f} tokens/s")

        report = fine_tune(
            recipe_path,
            Path(data),
            Path(into),
            name=name,
            start=None if start is None else Path(start),
            device=device,
            nearest=nearest_passages(device),
            say=notices.print,
            progress=show,
        )
        draw_losses(report.directory / "run", notices)
        fitting = bar.add_task("calibrating", total=None, loss=report.loss, speed=0.0)
        fitted = fit_reader(
            report.directory,
            recipe_path,
            Path(data),
            device=device,
            say=notices.print,
            progress=lambda done, total: bar.update(fitting, completed=done, total=total),
        )
    if json:
        console.write_json(_facts(report, fitted))
    else:
        console.results().print(_summary(report, fitted))


def draw_losses(run: Path, notices: Console) -> None:
    """Draw the log of a run beside it, as ``loss.svg``; where that cannot be done, one notice says why not."""
    from reader.charts import loss_curve
    from reader.errors import ReaderError
    from reader.training import LOG_FILE, read_log

    try:
        loss_curve(read_log(run / LOG_FILE), run / "loss.svg")
    except (ReaderError, OSError) as error:
        notices.print(f"no loss.svg: {error}")


def _summary(report: TrainingReport, fitted: CalibrationReport) -> str:
    figures = fitted.overall
    return (
        f"{report.windows:,} windows, {report.tokens:,} tokens in {report.seconds / 60:.0f} min; "
        f"the reader is in {report.directory}\n"
        f"held out: {100 * figures.accuracy:.1f} % right, calibration error {figures.calibration_error:.3f}, "
        f"answerable or not: AUROC {figures.auroc:.3f}, threshold {fitted.calibration.threshold:.2f}"
    )


def _facts(report: TrainingReport, fitted: CalibrationReport) -> dict[str, object]:
    return {
        "directory": str(report.directory),
        "windows": report.windows,
        "tokens": report.tokens,
        "seconds": round(report.seconds, 1),
        "held_out": report_json(fitted),
    }
