"""Passages to vectors, to an index on disk, to the passages that may answer a question."""

from indexer.building import IndexProgress, IndexReport, PassageSplitter, build_index
from indexer.compacting import CompactReport, compact_index
from indexer.deleting import DeleteReport, delete_documents
from indexer.embedding import Embedder, load_embedder
from indexer.errors import DamagedIndex, DocumentNotFound, EmbedderMismatch, IndexNotFound, StoreError
from indexer.filtering import Condition, PassageFilter
from indexer.hybrid import HybridRetriever
from indexer.manifest import EmbedderIdentity, IndexManifest, IndexRecipe, LanguageCount
from indexer.passages import RetrievedPassage
from indexer.retrieving import Index
from indexer.store import PassageStore
from indexer.verifying import Problem, VerifyReport, verify_index

__all__ = [
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
]
