"""``spanglot ask`` and ``spanglot search``."""

from __future__ import annotations

import sys

from corpora.errors import QuestionError
from service.commands.filters import LanguageOption, SourceOption, WhereOption, passage_filter
from service.commands.options import (
    AllowPickleOption,
    DeviceOption,
    IndexOption,
    JsonOption,
    ModeOption,
    QuestionArgument,
    ReaderOption,
    TopKOption,
)
from service.settings import DEFAULT_SEARCH_TOP_K, DEFAULT_TOP_K, MAX_QUESTION_LENGTH

# UTF-8 needs at most four bytes for a code point; the rest is room for white space at the edges.
_MOST_QUESTION_BYTES = 4 * MAX_QUESTION_LENGTH + 1_000


def ask(
    question: QuestionArgument,
    index: IndexOption,
    top_k: TopKOption = DEFAULT_TOP_K,
    json: JsonOption = False,
    language: LanguageOption = None,
    source: SourceOption = None,
    where: WhereOption = None,
    device: DeviceOption = "auto",
    reader: ReaderOption = None,
    allow_pickle: AllowPickleOption = False,
) -> None:
    """Answer a question with the exact words of the indexed documents, and say where they stand."""
    from service import limits, serializing
    from service.answering import QuestionAnswerer
    from service.commands import console, quiet, rendering

    limits.check_top_k(top_k)
    asked = limits.check_questions([_question_text(question)])[0]
    only = passage_filter(language, source, where)
    quiet.quiet_libraries()
    with QuestionAnswerer.open(index, reader=reader, device=device, allow_pickle=allow_pickle) as answerer:
        result = answerer.answer(asked, top_k, only)
    if json:
        console.write_json(serializing.answer_result_to_dict(result))
    else:
        rendering.print_answers(console.results(), result)


def search(
    question: QuestionArgument,
    index: IndexOption,
    top_k: TopKOption = DEFAULT_SEARCH_TOP_K,
    mode: ModeOption = "hybrid",
    json: JsonOption = False,
    language: LanguageOption = None,
    source: SourceOption = None,
    where: WhereOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Show the passages nearest to a question, without reading them for an answer."""
    from contextlib import closing

    from service import limits, opening, searching, serializing
    from service.commands import console, quiet, rendering

    limits.check_top_k(top_k)
    asked = limits.check_questions([_question_text(question)])[0]
    only = passage_filter(language, source, where)
    quiet.quiet_libraries()
    with closing(opening.open_index(index, device=device)) as opened:
        result = searching.search_index(opened, asked, top_k, mode, only)
    if json:
        console.write_json(serializing.search_result_to_dict(result))
    else:
        rendering.print_passages(console.results(), result)


def _question_text(argument: str) -> str:
    if argument != "-":
        return argument
    if sys.stdin is None:  # closed by the caller, as `<&-` does
        raise QuestionError("standard input is closed: give the question as an argument, or send it in")
    data = sys.stdin.buffer.read(_MOST_QUESTION_BYTES + 1)
    if len(data) > _MOST_QUESTION_BYTES:
        raise QuestionError(
            f"the question on standard input has more than {_MOST_QUESTION_BYTES:,} bytes: "
            f"ask in at most {MAX_QUESTION_LENGTH:,} characters"
        )
    # Bytes that are no UTF-8 become lone surrogates here, and are refused as such with every other question.
    return data.decode("utf-8", errors="surrogateescape")
