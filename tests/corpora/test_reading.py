from __future__ import annotations

import os
import socket

import pytest

from corpora import CorpusError, DuplicateDocument, ReadReport, RowError, UsageError, read_documents
from corpora.reading import MAX_KEPT_ERRORS


def test_a_text_file_is_one_document_with_its_line_ends(read, tmp_path):
    path = tmp_path / "my notes.txt"
    path.write_bytes("\ufeffΓεια\r\nσου\rκόσμε\u2028e\u0301\n".encode())
    (document,) = read(path).documents
    assert document.text == "Γεια\r\nσου\rκόσμε\u2028e\u0301\n"
    assert (document.id, document.title, document.language) == ("my notes.txt", "my notes", "el")
    assert document.source == str(path)


def test_a_folder_is_read_sorted_and_at_every_depth(read, tmp_path):
    for name in ("b.txt", "a/z.txt", "a/b/c.md", "a.txt", "a/rows.jsonl", ".hidden.txt", ".git/x.txt", "a/.y.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('{"id": "row", "text": "x"}' if name.endswith("l") else "text")
    reading = read(tmp_path)
    assert reading.ids == ["a/b/c.md", "row", "a/z.txt", "a.txt", "b.txt"]
    assert reading.errors == []
    assert (reading.report.documents, reading.report.rejected) == (5, 0)


def test_sources_are_read_in_the_order_given(read, tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    assert read(tmp_path / "b.txt", str(tmp_path / "a.txt")).ids == ["b.txt", "a.txt"]


def test_a_relative_source_is_remembered_by_its_absolute_path(read, tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("x")
    monkeypatch.chdir(tmp_path)
    assert read("a.txt").documents[0].source == str(tmp_path / "a.txt")
    assert read(".").documents[0].source == str(tmp_path / "a.txt")
    assert read(".").ids == ["a.txt"]


def test_documents_are_streamed(tmp_path):
    (tmp_path / "a.txt").write_text("first")
    (tmp_path / "b.json").write_text("broken")
    report = ReadReport()
    stream = read_documents([tmp_path], report=report)
    assert next(stream).text == "first"
    assert (report.documents, report.rejected) == (1, 0)
    assert list(stream) == []
    assert (report.documents, report.rejected) == (1, 1)


def test_files_of_unknown_types_are_reported(read, tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.xyz").write_text("x")
    (tmp_path / "README").write_text("x")
    reading = read(tmp_path)
    assert reading.ids == ["a.txt"]
    assert [error.split(" (")[0] for error in reading.errors] == [
        f"{tmp_path / 'README'}: is of no known type",
        f"{tmp_path / 'b.xyz'}: is of no known type",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"ok\nbad \xff\n", "is not UTF-8 (byte 0xff in line 2): save it as UTF-8"),
        (b"\xff\xfeh\x00i\x00", "is UTF-16, not UTF-8: save it as UTF-8"),
        (b"\xed\xa0\x80", "is not UTF-8 (byte 0xed in line 1): save it as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_decoded_stops_the_run_only_when_given_directly(read, tmp_path, content, reason):
    (tmp_path / "a.txt").write_bytes(content)
    (tmp_path / "b.txt").write_text("good")
    with pytest.raises(CorpusError) as raised:
        read(tmp_path / "a.txt")
    assert str(raised.value) == f"{tmp_path / 'a.txt'}: {reason}"
    assert not isinstance(raised.value, RowError)
    reading = read(tmp_path)
    assert reading.ids == ["b.txt"]
    assert reading.errors == [str(raised.value)]


def test_a_blank_file_is_reported_and_the_run_goes_on(read, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf \n")
    (tmp_path / "b.txt").write_text("good")
    reading = read(tmp_path / "a.txt", tmp_path / "b.txt")
    assert reading.ids == ["b.txt"]
    assert reading.errors == [f"{tmp_path / 'a.txt'}: holds no text"]


def test_nul_is_text(read, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a\x00b")
    assert read(tmp_path).documents[0].text == "a\x00b"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.jsonl", "no such file or folder; check the path"),
        ("empty", "the folder holds no file of a type that can be read (.jsonl, "),
        ("unknown", "the folder holds no file of a type that can be read (.jsonl, "),
        ("file.xyz", "files of this type cannot be read; known types are .jsonl, "),
        ("pipe.txt", "is not a regular file; pipe JSONL or text in, with - as the source"),
        ("nul\x00.txt", "cannot be read: embedded null byte"),
        ("line\nend.txt", "no such file or folder; check the path"),
        ("x" * 300 + ".txt", "cannot be read: File name too long"),
    ],
)
def test_an_unusable_source_is_refused_before_anything_is_read(tmp_path, name, reason):
    (tmp_path / "good.txt").write_text("x")
    (tmp_path / "empty" / ".hidden").mkdir(parents=True)
    (tmp_path / "unknown").mkdir()
    (tmp_path / "unknown" / "a.xyz").write_text("x")
    (tmp_path / "file.xyz").write_text("x")
    os.mkfifo(tmp_path / "pipe.txt")
    report = ReadReport()
    with pytest.raises(CorpusError) as raised:
        read_documents([tmp_path / "good.txt", tmp_path / name], report=report)
    message = str(raised.value)
    assert reason in message
    assert message.isprintable()
    assert message.startswith(str(tmp_path))
    assert (report.documents, report.rejected) == (0, 0)


def test_no_source_at_all_is_a_usage_error():
    with pytest.raises(UsageError, match="no source given"):
        read_documents([], report=ReadReport())


def test_one_id_from_two_sources_names_both(read, write_rows):
    first = write_rows({"id": "x", "text": "one"}, name="one/rows.jsonl")
    second = write_rows({"id": "x", "text": "two"}, name="two/rows.jsonl")
    with pytest.raises(DuplicateDocument) as raised:
        read(first, second)
    assert raised.value.document_id == "x"
    assert f"comes from both {first} and {second}" in str(raised.value)
    with pytest.raises(DuplicateDocument):
        read(first.parent.parent)


def test_files_of_one_name_in_two_sources_clash(read, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("same text")
    with pytest.raises(DuplicateDocument, match=r"'a\.txt' comes from both .*one/a\.txt and .*two/a\.txt"):
        read(tmp_path / "one", tmp_path / "two")
    assert read(tmp_path).ids == ["one/a.txt", "two/a.txt"]


def test_a_source_given_twice_is_reported_not_doubled(read, tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.txt").write_text("x")
    reading = read(tmp_path / "b.txt", tmp_path)
    assert reading.ids == ["b.txt", "a.txt"]
    assert reading.errors == [f"{tmp_path / 'b.txt'}: repeats the document id 'b.txt'; the first one is kept"]


def test_only_the_first_thousand_errors_are_kept_and_all_are_counted(read, write_rows):
    reading = read(write_rows(*[b"{"] * (MAX_KEPT_ERRORS + 5), {"id": "a", "text": "x"}))
    assert len(reading.report.errors) == MAX_KEPT_ERRORS == 1_000
    assert (reading.report.rejected, reading.report.documents) == (1_005, 1)


def test_pipes_sockets_and_devices_in_a_folder_are_refused_unopened(read, tmp_path):
    (tmp_path / "z.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "device.txt").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket.txt"))
        reading = read(tmp_path)
    assert reading.ids == ["z.txt"]
    assert reading.errors == [
        f"{tmp_path / 'device.txt'}: is a link that leads out of the folder, and is not followed",
        f"{tmp_path / 'pipe.txt'}: is not a regular file",
        f"{tmp_path / 'socket.txt'}: is not a regular file",
    ]


def test_links_are_followed_only_to_files_inside_the_tree(read, tmp_path):
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "outside.txt").write_text("secret")
    (tmp_path / "root-like.txt").write_text("secret")
    (root / "sub" / "real.txt").write_text("real")
    (root / "inside.txt").symlink_to("sub/real.txt")
    (root / "out.txt").symlink_to("../outside.txt")
    (root / "absolute.txt").symlink_to(tmp_path / "outside.txt")
    (root / "alike.txt").symlink_to("../root-like.txt")
    (root / "loop").symlink_to(".")
    (root / "up").symlink_to("..")
    (root / "self.txt").symlink_to("self.txt")
    (root / "broken.txt").symlink_to("nothing.txt")
    reading = read(root)
    assert reading.ids == ["inside.txt", "sub/real.txt"]
    out = "is a link that leads out of the folder, and is not followed"
    assert sorted(reading.errors) == sorted(
        [
            f"{root / 'absolute.txt'}: {out}",
            f"{root / 'alike.txt'}: {out}",
            f"{root / 'broken.txt'}: cannot be read: No such file or directory",
            f"{root / 'loop'}: is a link to a folder, and is not followed",
            f"{root / 'out.txt'}: {out}",
            f"{root / 'self.txt'}: cannot be read: Too many levels of symbolic links",
            f"{root / 'up'}: {out}",
        ]
    )


def test_a_source_that_is_itself_a_link_is_read(read, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("x")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "file.txt").symlink_to("real/a.txt")
    assert read(tmp_path / "folder").ids == ["a.txt"]
    assert read(tmp_path / "file.txt").ids == ["file.txt"]


def test_names_that_are_not_utf_8_are_reported_escaped(read, tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with open(os.fsencode(tmp_path) + b"/b\xff\n.txt", "w") as file:
        file.write("x")
    reading = read(tmp_path)
    assert reading.ids == ["a.txt"]
    assert reading.errors == [f"{tmp_path}/b\\udcff\\n.txt: has a path that is not UTF-8; rename it"]
    with pytest.raises(CorpusError, match=r"b\\udcff\\n\.txt: has a path that is not UTF-8; rename it"):
        read(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff\n.txt"))


def test_a_deep_tree_is_read(read, tmp_path):
    path = tmp_path
    for _ in range(300):
        path = path / "d"
    path.mkdir(parents=True)
    (path / "a.txt").write_text("x")
    assert read(tmp_path).ids == ["d/" * 300 + "a.txt"]
