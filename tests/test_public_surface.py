"""The public names of the five packages: a change here is a change of contract, so it is written down twice."""

from __future__ import annotations

import importlib
import inspect

import pytest

SURFACE: dict[str, list[str]] = {
    "corpora": [
        "CorpusError",
        "Document",
        "DuplicateDocument",
        "Passage",
        "QuestionError",
        "ReadReport",
        "RowError",
        "SampleQuestion",
        "Section",
        "SpanglotError",
        "Splitter",
        "UsageError",
        "detect_language",
        "read_documents",
        "sample_documents",
        "sample_questions",
        "validate_question",
    ],
    "encoder": [
        "BASE_NAME",
        "Compute",
        "ModelError",
        "base_model_directory",
        "bert_to_xlm",
        "choose_compute",
        "home_directory",
        "load_tokenizer",
        "token_budget_batches",
        "token_offsets",
        "xlm_to_bert",
    ],
    "indexer": [
        "CompactReport",
        "Condition",
        "DamagedIndex",
        "DeleteReport",
        "DocumentNotFound",
        "Embedder",
        "EmbedderIdentity",
        "EmbedderMismatch",
        "HybridRetriever",
        "Index",
        "IndexManifest",
        "IndexNotFound",
        "IndexProgress",
        "IndexRecipe",
        "IndexReport",
        "LanguageCount",
        "PassageFilter",
        "PassageSplitter",
        "PassageStore",
        "Problem",
        "RetrievedPassage",
        "StoreError",
        "VerifyReport",
        "build_index",
        "compact_index",
        "delete_documents",
        "load_embedder",
        "verify_index",
    ],
    "reader": [
        "AnswerSpan",
        "Calibration",
        "ReaderError",
        "XlmReader",
        "load_reader",
        "question_answering",
    ],
    "service": [
        "Answer",
        "AnswerResult",
        "QuestionAnswerer",
        "create_app",
    ],
}
NAMES = [(package, name) for package, names in SURFACE.items() for name in names]


@pytest.mark.parametrize("package", SURFACE)
def test_the_public_names_are_these(package: str) -> None:
    assert sorted(importlib.import_module(package).__all__) == SURFACE[package]


@pytest.mark.parametrize("package", SURFACE)
def test_the_public_names_are_sorted_and_named_once(package: str) -> None:
    assert SURFACE[package] == sorted(set(SURFACE[package]))


@pytest.mark.parametrize(("package", "name"), NAMES, ids=[f"{package}.{name}" for package, name in NAMES])
def test_every_public_name_is_there_and_documented(package: str, name: str) -> None:
    thing = getattr(importlib.import_module(package), name)
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        assert name.isupper(), "only a constant has no docstring of its own"
        return
    written = thing.__dict__.get("__doc__") if inspect.isclass(thing) else thing.__doc__
    assert written
    assert not written.startswith(f"{name}("), "the docstring is the one that dataclass generates"


@pytest.mark.parametrize("package", SURFACE)
def test_every_package_says_what_it_is_for(package: str) -> None:
    assert importlib.import_module(package).__doc__


def test_every_error_is_of_one_tree() -> None:
    import corpora
    import encoder

    errors = [thing for package, name in NAMES if is_error(thing := getattr(importlib.import_module(package), name))]
    assert corpora.CorpusError in errors
    assert [error for error in errors if not issubclass(error, corpora.SpanglotError | encoder.ModelError)] == []


def is_error(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, BaseException)
