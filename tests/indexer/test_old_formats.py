"""What an older Spanglot wrote is brought up to date, or the cure is named."""

from __future__ import annotations

import hashlib
import json

import pytest

from indexer import DamagedIndex, Index


def test_an_index_of_the_format_without_words_is_brought_up_to_date_without_embedding(build, rivers, tmp_path):
    build(tmp_path, rivers)
    folder = tmp_path / "generations" / "1"
    fields = json.loads((folder / "manifest.json").read_text())
    del fields["recipe"]["lexical"], fields["files"][2]
    (folder / "lexical.arrays").unlink()
    data = json.dumps(fields | {"format_version": 1}).encode()
    (folder / "manifest.json").write_bytes(data)
    pointer = {"generation": 1, "manifest_sha256": hashlib.sha256(data).hexdigest()}
    (tmp_path / "CURRENT").write_text(json.dumps(pointer))
    with pytest.raises(DamagedIndex, match=r"older Spanglot \(format version 1\): run `spanglot index` again"):
        Index.open(tmp_path)
    report = build(tmp_path, rivers)
    assert (report.embedded, report.unchanged, report.generation) == (0, 3, 2)
    with Index.open(tmp_path) as index:
        assert [item.passage.document_id for item in index.retriever.retrieve("Forest", mode="lexical")] == ["danube"]
