"""``spanglot evaluate``: figures of quality on questions with known answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import AllowPickleOption, DeviceOption, JsonOption, ModeOption, ReaderOption

if TYPE_CHECKING:
    from rich.table import Table

    from reader.evaluation import AnswerQuality, PassageReader, ReaderEvaluation
    from reader.questions import GoldQuestion
    from service.retrieval_evaluation import RetrievalEvaluation

app = typer.Typer(
    name="evaluate",
    help="Measure quality on questions with known answers.",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

FilesArgument = Annotated[
    list[str], typer.Argument(metavar="FILE...", help="SQuAD-style JSON (xquad.el.json), or .jsonl; also with .gz.")
]
SampleOption = Annotated[
    int | None, typer.Option("--sample", metavar="N", min=1, help="Ask N questions of each language, always the same.")
]
CrossOption = Annotated[
    bool,
    typer.Option("--cross", help="Ask each question on the paragraphs of all languages (XQuAD's ids are parallel)."),
]
ChartOption = Annotated[
    str | None,
    typer.Option("--chart", metavar="FILE", help="Draw F1 by language, with --cross as a map, into an .svg or .png."),
]


@app.callback()
def evaluate() -> None:
    """Measure quality on questions with known answers."""


@app.command("reader")
def evaluate_reader(
    files: FilesArgument,
    reader: ReaderOption = None,
    allow_pickle: AllowPickleOption = False,
    device: DeviceOption = "auto",
    sample: SampleOption = None,
    cross: CrossOption = False,
    chart: ChartOption = None,
    json: JsonOption = False,
) -> None:
    """Measure the reader alone: each question is asked on the paragraph that answers it; F1 and exact match."""
    from service.commands import console, quiet

    questions = read_questions(files, sample, cross=cross)
    quiet.quiet_libraries()
    from reader import load_reader
    from reader.charts import require_charts
    from reader.contamination import contaminated_sets, contamination_warning
    from reader.evaluation import evaluation_json

    if chart is not None:
        require_charts(Path(chart))
    loaded = load_reader(reader, device=device, allow_pickle=allow_pickle)
    contaminated = contaminated_sets(files, loaded.settings.trained_on)
    if contaminated:
        console.notices().print(console.one_line(contamination_warning(loaded.name, contaminated)))
    evaluation = run_with_progress(loaded, questions)
    if json:
        console.write_json({**evaluation_json(evaluation), "contaminated": contaminated})
    else:
        console.results().print(pair_table(evaluation) if cross else evaluation_table(evaluation))
    if chart is not None:
        draw_chart(evaluation, Path(chart), loaded.name, cross=cross)


@app.command("retrieval")
def evaluate_retrieval(
    files: FilesArgument,
    index: Annotated[
        str | None, typer.Option("--index", metavar="DIR", help="An index that holds the paragraphs; else one is made.")
    ] = None,
    mode: ModeOption = "hybrid",
    device: DeviceOption = "auto",
    sample: SampleOption = None,
    json: JsonOption = False,
) -> None:
    """Measure retrieval: is a question's own paragraph among the first passages of all paragraphs?"""
    import tempfile

    from indexer import Index, load_embedder
    from reader.evaluation import sample_by_language
    from service.commands import building, console, quiet
    from service.retrieval_evaluation import context_documents, retrieval_json
    from service.retrieval_evaluation import evaluate_retrieval as measure

    questions = read_questions(files, None)
    asked = questions if sample is None else sample_by_language(questions, sample)
    quiet.quiet_libraries()
    with tempfile.TemporaryDirectory() as scratch:
        embedder = None
        if index is None:
            embedder = load_embedder(device=device)
            documents = context_documents(questions)
            building.build_documents(documents, scratch, embedder, len(documents))
        with Index.open(scratch if index is None else index, embedder=embedder, device=device) as opened:
            evaluation = measure(opened.retriever, opened.documents(), asked, mode=mode)
    if json:
        console.write_json(retrieval_json(evaluation))
    else:
        console.results().print(retrieval_table(evaluation))


def retrieval_table(evaluation: RetrievalEvaluation) -> Table:
    """Lay the figures out for people: a row for each language, the mean over languages last."""
    from rich import box
    from rich.table import Table

    left_out = f"; {evaluation.missing} whose paragraph is not indexed left out" if evaluation.missing else ""
    table = Table(box=box.SIMPLE, caption=f"Rank of the question's own paragraph{left_out}.")
    table.add_column("language")
    for heading in ("questions", "recall@1", "recall@5", "recall@20", "MRR", "nDCG@10"):
        table.add_column(heading, justify="right")
    for language, one in (*evaluation.by_language.items(), ("average", evaluation.average)):
        figures = (one.recall_1, one.recall_5, one.recall_20, one.mrr, one.ndcg_10)
        table.add_row(language, str(one.questions), *(f"{figure:.3f}" for figure in figures))
    return table


def read_questions(files: list[str], sample: int | None, *, cross: bool = False) -> list[GoldQuestion]:
    """Read the questions of all files; raise CorpusError where there is none to ask."""
    from corpora.errors import CorpusError
    from reader.evaluation import across_languages, sample_by_language
    from reader.questions import read_questions as read_file

    questions = [question for file in files for question in read_file(file)]
    if not any(question.answers for question in questions):
        raise CorpusError(f"{files[0]}: no question with an expected answer; give a file that has some")
    if cross:
        questions = across_languages(questions)
    return questions if sample is None else sample_by_language(questions, sample)


def run_with_progress(reader: PassageReader, questions: list[GoldQuestion]) -> ReaderEvaluation:
    """Evaluate with a progress bar on stderr where that is a terminal."""
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from reader.evaluation import evaluate_reader
    from service.commands import console

    notices = console.notices()
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notices, transient=True, disable=not notices.is_terminal) as progress:
        task = progress.add_task("questions", total=None)
        return evaluate_reader(
            reader, questions, progress=lambda done, total: progress.update(task, completed=done, total=total)
        )


def evaluation_table(evaluation: ReaderEvaluation) -> Table:
    """Lay the figures out for people: a row for each language, the mean over languages last."""
    from rich import box
    from rich.table import Table

    by_mlqa, by_squad = evaluation.mlqa_rules, evaluation.squad_rules
    left_out = f"\n{evaluation.unanswerable} without an answer left out." if evaluation.unanswerable else ""
    table = Table(box=box.SIMPLE, caption=f"Percent, by MLQA's rules and by SQuAD's.{left_out}")
    table.add_column("language")
    for heading in ("questions", "F1", "exact", "F1 (SQuAD)", "exact (SQuAD)"):
        table.add_column(heading, justify="right")
    for language, figures in by_mlqa.by_language.items():
        table.add_row(language, *_cells(figures, by_squad.by_language[language]))
    table.add_section()
    table.add_row("average", *_cells(by_mlqa.average, by_squad.average))
    return table


def pair_table(evaluation: ReaderEvaluation) -> Table:
    """Lay out F1 by MLQA's rules: a row for each language of a question, a column for each of a paragraph."""
    from rich import box
    from rich.table import Table

    from reader.evaluation import within_and_across

    within, across = within_and_across(evaluation.by_pair)
    shown = sorted({language for _, language in evaluation.by_pair})
    caption = f"F1 by MLQA's rules. Mean within a language {within:.1f}, across languages {across:.1f}."
    table = Table(box=box.SIMPLE, caption=caption)
    table.add_column("question \\ paragraph")
    for language in shown:
        table.add_column(language, justify="right")
    for asked in sorted({language for language, _ in evaluation.by_pair}):
        found = [evaluation.by_pair.get((asked, language)) for language in shown]
        table.add_row(asked, *("-" if figures is None else f"{figures.f1:.1f}" for figures in found))
    return table


def draw_chart(evaluation: ReaderEvaluation, path: Path, reader: str, *, cross: bool) -> None:
    """Draw F1 by MLQA's rules: a bar for each language, or a map of the languages of question and passage."""
    from reader.charts import bar_chart, heat_map

    if cross:
        by_pair = {pair: figures.f1 for pair, figures in evaluation.by_pair.items()}
        heat_map(by_pair, f"F1 of {reader}, MLQA's rules", path)
    else:
        by_language = {language: figures.f1 for language, figures in evaluation.mlqa_rules.by_language.items()}
        bar_chart(by_language, f"F1 of {reader}, MLQA's rules", path)


def _cells(by_mlqa: AnswerQuality, by_squad: AnswerQuality) -> list[str]:
    figures = (by_mlqa.f1, by_mlqa.exact_match, by_squad.f1, by_squad.exact_match)
    return [str(by_mlqa.questions), *(f"{figure:.1f}" for figure in figures)]
