"""The figures of ``spanglot evaluate`` laid out for people, as tables and as charts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from reader.evaluation import AnswerQuality, ReaderEvaluation
    from service.cross_retrieval import CrossEvaluation
    from service.open_evaluation import OpenEvaluation
    from service.retrieval_evaluation import RetrievalEvaluation


def evaluation_table(evaluation: ReaderEvaluation) -> Table:
    """Lay the reader's figures out: a row for each language, the mean over languages last."""
    by_mlqa, by_squad = evaluation.mlqa_rules, evaluation.squad_rules
    left_out = f"\n{evaluation.unanswerable} without an answer left out." if evaluation.unanswerable else ""
    headings = ("questions", "F1", "exact", "F1 (SQuAD)", "exact (SQuAD)")
    table = _table("language", headings, f"Percent, by MLQA's rules and by SQuAD's.{left_out}")
    for language, figures in by_mlqa.by_language.items():
        table.add_row(language, *_cells(figures, by_squad.by_language[language]))
    table.add_section()
    table.add_row("average", *_cells(by_mlqa.average, by_squad.average))
    return table


def pair_table(evaluation: ReaderEvaluation) -> Table:
    """Lay out F1 by MLQA's rules: a row for each language of a question, a column for each of a paragraph."""
    return _grid({pair: figures.f1 for pair, figures in evaluation.by_pair.items()}, "F1 by MLQA's rules.", places=1)


def retrieval_table(evaluation: RetrievalEvaluation) -> Table:
    """Lay the figures of retrieval out: a row for each language, the mean over languages last."""
    headings = ("questions", "recall@1", "recall@5", "recall@20", "MRR", "nDCG@10")
    caption = f"Rank of the question's own paragraph{_missing(evaluation.missing)}."
    table = _table("language", headings, caption)
    for language, one in (*evaluation.by_language.items(), ("average", evaluation.average)):
        figures = (one.recall_1, one.recall_5, one.recall_20, one.mrr, one.ndcg_10)
        table.add_row(language, str(one.questions), *(f"{figure:.3f}" for figure in figures))
    return table


def cross_tables(evaluation: CrossEvaluation) -> list[Table]:
    """Lay out mAP by language of the question, then recall and the languages of the first passages by pair."""
    caption = f"Mean average precision over the paragraphs of all languages{_missing(evaluation.missing)}."
    first = _table("language", ("questions", "mAP"), caption)
    for language, one in (*evaluation.by_language.items(), ("average", evaluation.average)):
        first.add_row(language, str(one.questions), f"{one.mean_average_precision:.3f}")
    pairs = evaluation.by_pair.items()
    shares = {
        (asked, shown): 100 * share
        for asked, one in evaluation.by_language.items()
        for shown, share in one.first_languages.items()
    }
    return [
        first,
        _grid({pair: 100 * one.recall_1 for pair, one in pairs}, "Percent recall@1 of the paragraph.", places=0),
        _grid({pair: 100 * one.recall_5 for pair, one in pairs}, "Percent recall@5 of the paragraph.", places=0),
        _grid({pair: 100 * one.recall_20 for pair, one in pairs}, "Percent recall@20 of the paragraph.", places=0),
        _grid(shares, "Percent of the first 10 passages in that language.", places=0, means=False),
    ]


def open_tables(evaluation: OpenEvaluation) -> list[Table]:
    """Lay out the figures of the whole path, then what became of the questions; the mean over languages last."""
    from service.open_evaluation import Outcome

    unanswerable = f"; {evaluation.unanswerable} without an answer left out" if evaluation.unanswerable else ""
    caption = f"Percent, by MLQA's rules{_missing(evaluation.missing)}{unanswerable}."
    quality = _table("language", ("questions", "F1", "exact", "answered", "retrieved", "read"), caption)
    names = tuple(outcome.value.replace("_", " ") for outcome in Outcome)
    outcomes = _table("language", names, "What became of the questions, in percent.")
    for language, one in (*evaluation.by_language.items(), ("average", evaluation.average)):
        percents = (one.f1, one.exact_match, *(100 * share for share in (one.answered, one.retrieved, one.read)))
        quality.add_row(language, str(one.questions), *(f"{percent:.1f}" for percent in percents))
        outcomes.add_row(language, *(f"{100 * one.outcomes[outcome]:.1f}" for outcome in Outcome))
    return [quality, outcomes]


def draw_reader(evaluation: ReaderEvaluation, reader: str, path: Path, *, cross: bool) -> None:
    """Draw F1 by MLQA's rules: a bar for each language, or a map of the languages of question and passage."""
    from reader.charts import bar_chart, heat_map

    title = f"F1 of {reader}, MLQA's rules"
    if cross:
        heat_map({pair: figures.f1 for pair, figures in evaluation.by_pair.items()}, title, path)
    else:
        by_language = evaluation.mlqa_rules.by_language
        bar_chart({language: figures.f1 for language, figures in by_language.items()}, title, path)


def draw_recall(evaluation: RetrievalEvaluation | CrossEvaluation, title: str, path: Path) -> None:
    """Draw recall@20 in percent: a bar for each language, or a map of the languages of question and passage."""
    from reader.charts import bar_chart, heat_map
    from service.retrieval_evaluation import RetrievalEvaluation

    if isinstance(evaluation, RetrievalEvaluation):
        bar_chart({language: 100 * one.recall_20 for language, one in evaluation.by_language.items()}, title, path)
    else:
        heat_map({pair: 100 * one.recall_20 for pair, one in evaluation.by_pair.items()}, title, path)


def _table(first: str, headings: tuple[str, ...], caption: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(first, box=box.SIMPLE, caption=caption)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _grid(values: Mapping[tuple[str, str], float], caption: str, *, places: int, means: bool = True) -> Table:
    """Lay out figures by pair: a row for each language of a question, a column for each of a paragraph."""
    from reader.evaluation import within_and_across

    if means:
        within, across = within_and_across(values)
        caption += f" Mean within a language {within:.1f}, across languages {across:.1f}."
    shown = sorted({language for _, language in values})
    table = _table("question \\ paragraph", tuple(shown), caption)
    for asked in sorted({language for language, _ in values}):
        found = [values.get((asked, language)) for language in shown]
        table.add_row(asked, *("-" if figure is None else f"{figure:.{places}f}" for figure in found))
    return table


def _missing(count: int) -> str:
    return f"; {count} whose paragraph is not indexed left out" if count else ""


def _cells(by_mlqa: AnswerQuality, by_squad: AnswerQuality) -> list[str]:
    figures = (by_mlqa.f1, by_mlqa.exact_match, by_squad.f1, by_squad.exact_match)
    return [str(by_mlqa.questions), *(f"{figure:.1f}" for figure in figures)]
