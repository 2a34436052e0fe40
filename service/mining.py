"""Find the passages that a search takes for answers to training questions, with the index of the service."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence


def nearest_passages(device: str = "auto") -> Callable[[Sequence[str], Sequence[str], int], list[list[int]]]:
    """Return a function of questions, passages and k: the places of each question's k nearest passages, best first.

    The passages are indexed in a temporary directory; of a long one the best part counts.
    """

    def nearest(questions: Sequence[str], passages: Sequence[str], k: int) -> list[list[int]]:
        from corpora.documents import Document
        from indexer import Index, build_index, load_embedder
        from service import opening

        embedder = load_embedder(device=device)
        documents = (Document(id=str(place), text=text) for place, text in enumerate(passages))
        with tempfile.TemporaryDirectory() as scratch:
            build_index(scratch, documents, embedder=embedder, splitter=opening.make_splitter())
            with Index.open(scratch, embedder=embedder) as index:
                found = index.retriever.retrieve_batch(questions, top_k=2 * k) if questions else []
        places = ([int(item.passage.document_id) for item in items] for items in found)
        return [list(dict.fromkeys(each))[:k] for each in places]

    return nearest
