"""What an index was built with, written beside every generation and checked before anything of it is opened."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer import errors

FORMAT_VERSION = 2
# What a build derives anew from the store, which has a version of its own.
_OLDER_VERSIONS = (1,)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderIdentity:
    """What tells one embedder's vectors from another's."""

    name: str
    revision: str
    dimension: int

    def __str__(self) -> str:
        return f"{self.name} (revision {self.revision}, {self.dimension} dimensions)"

    def require(self, other: EmbedderIdentity, directory: Path) -> None:
        """Raise EmbedderMismatch unless ``other`` gives the vectors of this one.

        A model directory may have been moved: two absolute paths count as one name, since the revision is a hash of
        what is in them.
        """
        moved = Path(self.name).is_absolute() and Path(other.name).is_absolute()
        if (self.revision, self.dimension) != (other.revision, other.dimension) or not (
            self.name == other.name or moved
        ):
            raise errors.EmbedderMismatch(
                f"the index at {directory} was built with the embedder {self}, not with {other}: use the former, or "
                "index again into a new directory"
            )

    def to_json(self) -> str:
        """Return a JSON object."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> EmbedderIdentity:
        """Read what ``to_json`` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRecipe:
    """How documents became vectors, and vectors what is searched, as the build that published the generation was set.

    A change of the last four is made good without embedding; one of the others embeds a document again.
    """

    target_tokens: int
    max_tokens: int
    overlap_sentences: int
    context: str
    vector_index: str
    metric: str
    centering: str
    lexical: str

    def embedding_key(self) -> str:
        """Return what the stored vectors depend on, as JSON."""
        return json.dumps([self.target_tokens, self.max_tokens, self.overlap_sentences, self.context])


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageCount:
    """The number of documents in one language (BCP 47; "und" where it is not known)."""

    language: str
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedFile:
    """A file of a generation, as it was written."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexManifest:
    """A published generation; it sees the rows of the store with born <= ``commit`` < died.

    ``commit_mark`` tells that commit from one of the same number in another history. ``created`` is an ISO 8601 time in
    UTC. ``store_id`` names the one database that the generation was made from.
    """

    format_version: int
    generation: int
    commit: int
    commit_mark: str
    created: str
    spanglot_version: str
    store_id: str
    embedder: EmbedderIdentity
    recipe: IndexRecipe
    documents: int
    passages: int
    languages: tuple[LanguageCount, ...]
    files: tuple[DerivedFile, ...]

    def to_json(self) -> bytes:
        """Return the manifest as indented JSON in UTF-8."""
        return (json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes, path: Path) -> IndexManifest:
        """Read what ``to_json`` wrote; raise StoreError for a newer format, DamagedIndex for anything else."""
        try:
            fields = json.loads(data)
            version = fields["format_version"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise _damaged(path, error) from error
        if version in _OLDER_VERSIONS:
            raise errors.DamagedIndex(
                f"{path} was written by an older Spanglot (format version {version}): run `spanglot index` again with "
                "the same sources to bring the index up to date, nothing is embedded again"
            )
        if version != FORMAT_VERSION:
            raise errors.StoreError(
                f"{path} has format version {version}, this Spanglot reads {FORMAT_VERSION}: use the Spanglot that "
                "made it, or index again into a new directory"
            )
        try:
            return cls._from_fields(fields)
        except (TypeError, KeyError, AttributeError) as error:
            raise _damaged(path, error) from error

    @classmethod
    def _from_fields(cls, fields: Mapping[str, Any]) -> IndexManifest:
        plain = dict(fields)
        embedder = EmbedderIdentity(**plain.pop("embedder"))
        recipe = IndexRecipe(**plain.pop("recipe"))
        languages = tuple(LanguageCount(**language) for language in plain.pop("languages"))
        files = tuple(DerivedFile(**file) for file in plain.pop("files"))
        return cls(embedder=embedder, recipe=recipe, languages=languages, files=files, **plain)


def _damaged(path: Path, error: Exception) -> errors.DamagedIndex:
    return errors.DamagedIndex(f"{path} is damaged ({error}): run `spanglot index` again to rebuild it")
