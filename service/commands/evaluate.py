"""``spanglot evaluate``: figures of quality on questions with known answers."""

from __future__ import annotations

from typing import Annotated

import typer

from service.commands.options import AllowPickleOption, DeviceOption, JsonOption, ModeOption, ReaderOption

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
ParallelOption = Annotated[
    bool,
    typer.Option("--cross", help="A question's paragraphs in all languages are right (XQuAD's ids are parallel)."),
]
RecallChartOption = Annotated[
    str | None,
    typer.Option(
        "--chart", metavar="FILE", help="Draw recall@20 by language, with --cross as a map, into an .svg or .png."
    ),
]
ParagraphsOption = Annotated[
    str | None, typer.Option("--index", metavar="DIR", help="An index that holds the paragraphs; else one is made.")
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
    from service.commands import console, evaluating, evaluation_tables, quiet

    questions = evaluating.read_questions(files)
    quiet.quiet_libraries()
    from reader import load_reader
    from reader.evaluation import across_languages, evaluation_json
    from reader.evaluation import evaluate_reader as measure

    drawing = evaluating.chart_path(chart)
    asked = evaluating.sampled(across_languages(questions) if cross else questions, sample)
    loaded = load_reader(reader, device=device, allow_pickle=allow_pickle)
    contaminated = evaluating.warn_of_contamination(files, loaded)
    with evaluating.questions_bar() as progress:
        evaluation = measure(loaded, asked, progress=progress)
    if json:
        console.write_json({**evaluation_json(evaluation), "contaminated": contaminated})
    else:
        layout = evaluation_tables.pair_table if cross else evaluation_tables.evaluation_table
        console.results().print(layout(evaluation))
    if drawing is not None:
        evaluation_tables.draw_reader(evaluation, loaded.name, drawing, cross=cross)


@app.command("retrieval")
def evaluate_retrieval(
    files: FilesArgument,
    index: ParagraphsOption = None,
    mode: ModeOption = "hybrid",
    device: DeviceOption = "auto",
    sample: SampleOption = None,
    cross: ParallelOption = False,
    chart: RecallChartOption = None,
    json: JsonOption = False,
) -> None:
    """Measure retrieval: is a question's own paragraph among the first passages of all paragraphs?"""
    from service.commands import console, evaluating, evaluation_tables, quiet

    questions = evaluating.read_questions(files)
    asked = evaluating.sampled(questions, sample)
    quiet.quiet_libraries()
    from service.cross_retrieval import CrossEvaluation, cross_json, evaluate_across
    from service.retrieval_evaluation import RetrievalEvaluation, retrieval_json
    from service.retrieval_evaluation import evaluate_retrieval as measure

    drawing = evaluating.chart_path(chart)
    with evaluating.opened_index(index, questions, device) as opened, evaluating.questions_bar() as progress:
        retriever, documents = opened.retriever, opened.documents()
        evaluation: RetrievalEvaluation | CrossEvaluation
        if cross:
            evaluation = evaluate_across(retriever, documents, asked, questions, mode=mode, progress=progress)
        else:
            evaluation = measure(retriever, documents, asked, mode=mode, progress=progress)
    if isinstance(evaluation, CrossEvaluation):
        figures, tables = cross_json(evaluation), evaluation_tables.cross_tables(evaluation)
    else:
        figures, tables = retrieval_json(evaluation), [evaluation_tables.retrieval_table(evaluation)]
    if json:
        console.write_json(figures)
    else:
        console.results().print(*tables, sep="")
    if drawing is not None:
        evaluation_tables.draw_recall(evaluation, f"recall@20, {mode}", drawing)


@app.command("open")
def evaluate_open(
    files: FilesArgument,
    index: ParagraphsOption = None,
    reader: ReaderOption = None,
    allow_pickle: AllowPickleOption = False,
    device: DeviceOption = "auto",
    sample: SampleOption = None,
    json: JsonOption = False,
) -> None:
    """Measure the whole path: each question is asked of all paragraphs; F1, and where right answers are lost."""
    from service.commands import console, evaluating, evaluation_tables, quiet

    questions = evaluating.read_questions(files)
    asked = evaluating.sampled(questions, sample)
    quiet.quiet_libraries()
    from reader import load_reader
    from service.answering import QuestionAnswerer
    from service.open_evaluation import evaluate_open as measure
    from service.open_evaluation import open_json
    from service.opening import DiskIndex

    loaded = load_reader(reader, device=device, allow_pickle=allow_pickle)
    contaminated = evaluating.warn_of_contamination(files, loaded)
    with evaluating.opened_index(index, questions, device) as opened, evaluating.questions_bar() as progress:
        answerer = QuestionAnswerer(DiskIndex(opened), loaded)
        evaluation = measure(answerer, opened.documents(), asked, progress=progress)
    if json:
        console.write_json({**open_json(evaluation), "contaminated": contaminated})
    else:
        console.results().print(*evaluation_tables.open_tables(evaluation), sep="")
