"""How this Spanglot derives what is searched, and how an index that it finds was made."""

from __future__ import annotations

import json
from pathlib import Path

from indexer import centering, context, errors, generations, lexical
from indexer.manifest import EmbedderIdentity, IndexRecipe
from indexer.store import PassageStore

# The setting of the store that says how its documents were split.
SPLITTING = "splitting"


def recipe(
    target_tokens: int, max_tokens: int, overlap_sentences: int, used_context: str = context.CONTEXT_RECIPE
) -> IndexRecipe:
    """Return the recipe of a generation that this Spanglot derives from passages that were split like this."""
    return IndexRecipe(
        target_tokens=target_tokens,
        max_tokens=max_tokens,
        overlap_sentences=overlap_sentences,
        context=used_context,
        vector_index="flat",
        metric="inner product",
        centering=centering.RECIPE,
        lexical=lexical.recipe(),
    )


def made_with(directory: Path, store: PassageStore) -> tuple[EmbedderIdentity, IndexRecipe]:
    """Return what a generation says of its making, where no embedder and no splitter is there to tell.

    Raise DamagedIndex where the index does not say it any more.
    """
    embedder = store.setting("embedder")
    if embedder is None:
        raise errors.DamagedIndex(
            f"{store.path} is damaged: it does not name the embedder; restore it from a copy, or index again into a "
            "new directory"
        )
    splitting = store.setting(SPLITTING)
    if splitting is None:
        # An index of a Spanglot that wrote it into the manifest alone.
        splitting = _splitting_of_manifest(directory)
    return EmbedderIdentity.from_json(embedder), recipe(*json.loads(splitting))


def _splitting_of_manifest(directory: Path) -> str:
    try:
        manifest = generations.current_manifest(directory)
    except errors.DamagedIndex:
        manifest = None
    if manifest is None:
        raise errors.DamagedIndex(
            f"the index at {directory} does not say how its documents were split: run `spanglot index` again with the "
            "same sources, nothing is embedded again"
        )
    return manifest.recipe.embedding_key()
