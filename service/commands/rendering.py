"""Answers and passages as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from service.commands import console as consoles
from service.ranking import source_name

if TYPE_CHECKING:
    from rich.console import Console

    from indexer.passages import RetrievedPassage
    from service.answers import Answer, AnswerResult, SearchResult

MARKED = "bold reverse"


def percent(probability: float) -> str:
    """Return a probability as people read it; certainty is left to mathematics."""
    return f"{min(99, round(100 * probability))} %"


def print_answers(console: Console, result: AnswerResult) -> None:
    """Print the answers of one question with their places, or say that there is none."""
    if not result.answers:
        console.print("No answer: the index holds no passage that could answer.")
        return
    if not result.answered:
        console.print(f"No answer found ({percent(result.no_answer)} sure). The nearest candidates:")
    for number, answer in enumerate(result.answers, start=1):
        console.print(_answer_lines(console, answer, number))
    consoles.notices().print(f"{result.timings.total_ms:.0f} ms", style="dim")


def _answer_lines(console: Console, answer: Answer, number: int) -> Text:
    start = answer.start - answer.passage.start
    end = answer.end - answer.passage.start
    lines = Text(f"{number}. ")
    lines.append(consoles.one_line(answer.text), style="bold")
    lines.append(f"  {percent(answer.score)}", style="green" if number == 1 else "")
    if answer.support > 1:
        lines.append(f"  in {answer.support} places", style="dim")
    lines.append(f"\n   {answer_place(answer)}\n   ", style="cyan")
    return lines.append_text(_marked(console, answer.passage.text, start, end)).append("\n")


def answer_place(answer: Answer) -> str:
    """Return document id, title, headings, page and offsets of an answer on one line."""
    parts = [answer.document_id]
    if answer.title and answer.title != answer.document_id:
        parts.append(answer.title)
    parts.extend(answer.headings)
    if answer.language is not None:
        parts.append(answer.language)
    if answer.page is not None:
        parts.append(f"page {answer.page}")
    return consoles.one_line(" · ".join([*parts, f"characters {answer.start}-{answer.end}"]))


def _marked(console: Console, text: str, start: int, end: int) -> Text:
    before, words, after = (consoles.printable(part) for part in (text[:start], text[start:end], text[end:]))
    if consoles.is_styled(console):
        parts = Text(before).append(words, style=MARKED).append(after)
    else:
        parts = Text(f"{before}[[{words}]]{after}")
    return Text(" ").join(parts.split())


def print_passages(console: Console, result: SearchResult) -> None:
    """Print the passages of a search with their scores and places."""
    if not result.passages:
        console.print("No passage: the index is empty.")
    for found in result.passages:
        console.print(_passage_lines(found))


def _passage_lines(found: RetrievedPassage) -> Text:
    passage = found.passage
    parts = [passage.document_id, passage.title, passage.language, source_name(passage.source)]
    place = consoles.one_line(" · ".join(dict.fromkeys(part for part in parts if part)))
    lines = Text(f"{found.rank}. ")
    lines.append(f"{found.score:.3f}", style="green")
    lines.append(f"  {place} · characters {passage.start}-{passage.end}\n   ", style="cyan")
    return lines.append(consoles.one_line(passage.text) + "\n")
