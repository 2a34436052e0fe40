"""Language ids for checkpoints with language embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageIds:
    """Which row of a checkpoint's language embeddings a text takes.

    ``ids`` is the checkpoint's own table (``lang2id``). A text whose language is not known or not in the table takes
    ``fallback``. ``question`` is the language of every question, or None to detect it question by question.
    """

    ids: Mapping[str, int]
    fallback: int = 0
    question: str | None = None

    def id_of(self, language: str | None) -> int:
        """Return the id of a BCP 47 code: of the code itself, else of its first part (``zh`` for ``zh-Hant``)."""
        code = "" if language is None else language.lower()
        return self.ids.get(code, self.ids.get(code.partition("-")[0], self.fallback))

    def id_of_question(self, question: str) -> int:
        """Return the id for a question."""
        if self.question is not None:
            return self.id_of(self.question)
        from corpora.languages import detect_language

        return self.id_of(detect_language(question))
