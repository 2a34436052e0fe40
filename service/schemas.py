"""What goes over the wire; pydantic lives here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from service.settings import (
    DEFAULT_SEARCH_TOP_K,
    DEFAULT_TOP_K,
    MAX_CONTEXT_LENGTH,
    MAX_FILTER_LENGTH,
    MAX_FILTER_VALUES,
    MAX_QUESTION_LENGTH,
    MAX_TOP_K,
    SearchMode,
)

if TYPE_CHECKING:
    from indexer import PassageFilter

Question = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_QUESTION_LENGTH,
        description="The question, in any language.",
        examples=["Who discovered the blood groups?"],
    ),
]
TopK = Annotated[int, Field(ge=1, le=MAX_TOP_K, strict=True, description="How many results at most.")]

Name = Annotated[str, Field(min_length=1, max_length=MAX_FILTER_LENGTH)]
Scalar = StrictBool | StrictInt | StrictFloat | Annotated[StrictStr, Field(max_length=MAX_FILTER_LENGTH)]
Bound = StrictInt | StrictFloat | Annotated[StrictStr, Field(max_length=MAX_FILTER_LENGTH)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Bounds(_Body):
    """Inclusive bounds of a number, or of a text by code points."""

    at_least: Bound | None = None
    at_most: Bound | None = None


class Filters(_Body):
    """Which passages may be found; what is left out does not matter, and all that is given must hold.

    A metadata value, or one member of a list, must equal the value given or one of several, or be within the bounds.
    """

    language: Annotated[list[Name], Field(max_length=MAX_FILTER_VALUES, description="BCP 47 codes.")] = []
    source: Annotated[list[Name], Field(max_length=MAX_FILTER_VALUES, description="File names.")] = []
    metadata: Annotated[
        dict[Name, Scalar | Bounds | Annotated[list[Scalar], Field(min_length=1, max_length=MAX_FILTER_VALUES)]],
        Field(max_length=MAX_FILTER_VALUES, examples=[{"kind": ["manual", "guide"], "year": {"at_least": 1990}}]),
    ] = {}

    def passage_filter(self) -> PassageFilter:
        """Return the filter that the index takes; raise UsageError for one that says nothing."""
        from indexer import Condition, PassageFilter

        conditions = []
        for name, wanted in self.metadata.items():
            if isinstance(wanted, Bounds):
                conditions.append(Condition(name=name, at_least=wanted.at_least, at_most=wanted.at_most))
            else:
                values = tuple(wanted) if isinstance(wanted, list) else (wanted,)
                conditions.append(Condition(name=name, any_of=values))
        return PassageFilter(languages=tuple(self.language), sources=tuple(self.source), metadata=tuple(conditions))


class AskBody(_Body):
    """A question for the index."""

    question: Question
    top_k: TopK = DEFAULT_TOP_K
    filters: Filters = Filters()


class SearchBody(_Body):
    """A question whose nearest passages are wanted."""

    question: Question
    top_k: TopK = DEFAULT_SEARCH_TOP_K
    mode: Annotated[
        SearchMode, Field(description="Rank by meaning and by words, by meaning alone, or by words alone.")
    ] = "hybrid"
    filters: Filters = Filters()


class ReadBody(_Body):
    """A question and the text to answer it from."""

    question: Question
    context: Annotated[str, Field(min_length=1, max_length=MAX_CONTEXT_LENGTH, description="The text to read.")]
    top_k: TopK = DEFAULT_TOP_K


class PassagePlace(BaseModel):
    """The passage that an answer was read in; ``start`` counts in the document."""

    id: str
    text: str
    start: int


class AnswerModel(BaseModel):
    """An answer; ``start`` and ``end`` are half-open code point offsets in the document."""

    text: str
    score: Annotated[float, Field(ge=0, le=1, description="Calibrated probability that the answer is right.")]
    document_id: str
    title: str
    headings: list[str]
    page: int | None
    source: str
    language: str | None
    start: int
    end: int
    passage: PassagePlace
    span_score: float
    retrieval_score: float | None
    support: int


class TimingsModel(BaseModel):
    """Milliseconds by stage; a stage that was not needed is left out."""

    retrieve_ms: float | None = None
    read_ms: float | None = None
    rank_ms: float | None = None
    total_ms: float


class IndexModel(BaseModel):
    """The index that answered."""

    name: str
    generation: int
    documents: int
    passages: int
    embedder: str


class AskReply(BaseModel):
    """The answers, best first; below the threshold ``answered`` is false and the candidates stay."""

    question: str
    language: str | None
    answered: bool
    answers: list[AnswerModel]
    no_answer: Annotated[float, Field(ge=0, le=1)]
    timings: TimingsModel
    index: IndexModel | None


class PassageModel(BaseModel):
    """A passage of a search; ``start`` counts in the document."""

    id: str
    document_id: str
    title: str
    text: str
    start: int
    language: str | None
    page: int | None
    source: str
    score: float
    dense_score: float | None
    lexical_score: float | None
    rank: int


class SearchReply(BaseModel):
    """The nearest passages, best first."""

    question: str
    language: str | None
    passages: list[PassageModel]
    timings: TimingsModel
    index: IndexModel


class IndexReply(IndexModel):
    """What is served: the index, and the reader with the score from which it counts a question as answered."""

    reader: str
    threshold: float


class Health(BaseModel):
    """The state of the process."""

    status: str


class Problem(BaseModel):
    """An error, as RFC 9457 words it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
