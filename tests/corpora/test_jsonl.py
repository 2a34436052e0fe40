from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora import CorpusError, RowError
from corpora.jsonl import parse_jsonl
from corpora.sources import Row, given_file

GOOD = {"id": "good", "text": "A good row."}


def test_all_fields_are_read(read, write_rows):
    path = write_rows(
        {"id": "a", "title": "Τίτλος", "text": "Κείμενο.", "language": "el", "metadata": {"year": 1901, "tags": ["x"]}}
    )
    document = read(path).documents[0]
    assert (document.id, document.title, document.text, document.language) == ("a", "Τίτλος", "Κείμενο.", "el")
    assert document.metadata == {"year": 1901, "tags": ["x"]}
    assert document.source == str(path)
    assert document.sections == ()


def test_beir_rows_are_read(read, write_rows):
    path = write_rows({"_id": "MED-10", "title": "Statins", "text": "Do statins help?", "metadata": {}})
    document = read(path).documents[0]
    assert (document.id, document.title, document.metadata) == ("MED-10", "Statins", {})


def test_id_comes_before_beir_id_and_numbers_become_strings(read, write_rows):
    path = write_rows({"id": 7, "_id": "x", "text": "a"}, {"id": None, "_id": 8, "text": "b"}, {"id": 1.5, "text": "c"})
    assert read(path).ids == ["7", "8", "1.5"]


def test_a_row_without_id_is_named_by_its_line(read, write_rows):
    path = write_rows(GOOD, b"", {"text": "third line"})
    assert read(path).ids == ["good", "rows.jsonl#L3"]
    assert read(path.parent).ids == ["good", "rows.jsonl#L3"]


def test_a_missing_language_is_detected(read, write_rows):
    path = write_rows({"id": "a", "text": "Η Αθήνα είναι πρωτεύουσα."}, {"id": "b", "text": "12 + 30", "language": ""})
    assert [document.language for document in read(path).documents] == ["el", None]


def test_language_codes_get_their_usual_spelling(read, write_rows):
    path = write_rows({"id": "a", "text": "x", "language": "zh_hant"}, {"id": "b", "text": "x", "language": "PT-br"})
    assert [document.language for document in read(path).documents] == ["zh-Hant", "pt-BR"]


def test_text_is_kept_code_point_for_code_point(read, write_rows):
    text = " \ufeff e\u0301 \u00e9 \x00 \u2028 👩‍👩‍👧 \r\n ‏שלום‎ \ud83d\ude00 ".encode("utf-16", "surrogatepass").decode(
        "utf-16"
    )
    assert read(write_rows({"id": "a", "text": text})).documents[0].text == text


def test_a_surrogate_pair_in_escapes_is_one_character(read, write_rows):
    path = write_rows(rb'{"id": "a", "text": "\ud83d\ude00"}')
    assert read(path).documents[0].text == "😀"


def test_byte_order_mark_and_crlf_are_no_part_of_the_rows(read, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": "a", "text": "x"}\r\n\r\n{"id": "b", "text": "y"}')
    reading = read(path)
    assert reading.ids == ["a", "b"]
    assert reading.errors == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b'{"id": "a", "text": "cut', "is not valid JSON: Unterminated string starting at column 21"),
        (b"not json", "is not valid JSON: Expecting value at column 1"),
        (b'["a"]', "is not a JSON object"),
        (b'"a"', "is not a JSON object"),
        (b'{"id": "a", "text": "\xff"}', "is not UTF-8 (byte 0xff at byte 22)"),
        (rb'{"id": "a", "text": "\ud800"}', "holds an escape for half of a surrogate pair, which is not text"),
        (rb'{"id": "\udc00", "text": "x"}', "holds an escape for half of a surrogate pair, which is not text"),
        (
            rb'{"text": "x", "metadata": {"k\ud800": 1}}',
            "holds an escape for half of a surrogate pair, which is not text",
        ),
        (b'{"text": "x", "metadata": {"k": NaN}}', "holds NaN, which is not JSON"),
        (b'{"text": "x", "metadata": {"k": -Infinity}}', "holds -Infinity, which is not JSON"),
        (b'{"text": "x", "metadata": ' + b"[" * 100_000, "is nested too deeply"),
        (b'{"id": "a"}', 'has no "text"'),
        (b'{"id": "a", "text": null}', 'has no "text"'),
        (b'{"id": "a", "text": ""}', 'has a blank "text"'),
        (b'{"id": "a", "text": " \\n\\u3000"}', 'has a blank "text"'),
        (b'{"id": "a", "text": 5}', 'has a "text" that is a number, not a string'),
        (b'{"id": "a", "text": ["x"]}', 'has a "text" that is a list, not a string'),
        (b'{"id": "a", "text": "x", "title": {}}', 'has a "title" that is an object, not a string'),
        (b'{"id": true, "text": "x"}', 'has an "id" that is true or false, not a string or a number'),
        (b'{"_id": [], "text": "x"}', 'has an "_id" that is a list, not a string or a number'),
        (b'{"id": " ", "text": "x"}', 'has a blank "id"'),
        (b'{"text": "x", "metadata": {"k": [1.5, -1e999]}}', "holds the number -1e999, which is too large"),
        (b'{"id": 1e999, "text": "x"}', "holds the number 1e999, which is too large"),
        (
            b'{"text": "x", "metadata": {"k": ' + b"[" * 100 + b"]" * 100 + b"}}",
            'has a "metadata" that is nested more than 100 deep',
        ),
        (b'{"text": "x", "metadata": "m"}', 'has a "metadata" that is a string, not an object'),
        (b'{"text": "x", "language": 3}', 'has a "language" that is a number, not a string'),
        (
            b'{"text": "x", "language": "English (UK)"}',
            'has the "language" \'English (UK)\', which is not a BCP 47 code such as "en" or "zh-Hant"',
        ),
    ],
)
def test_a_bad_row_is_reported_with_file_and_line_and_the_rest_is_read(read, write_rows, row, reason):
    path = write_rows(GOOD, row, {"id": "after", "text": "x"})
    reading = read(path)
    assert reading.ids == ["good", "after"]
    assert reading.errors == [f"{path}, line 2: {reason}"]
    error = reading.report.errors[0]
    assert (error.source, error.line, error.reason) == (str(path), 2, reason)
    assert (reading.report.documents, reading.report.rejected) == (2, 1)


def test_a_number_of_5000_digits_is_a_bad_row(read, write_rows):
    reading = read(write_rows(b'{"id": ' + b"9" * 5_000 + b', "text": "x"}', GOOD))
    assert reading.ids == ["good"]
    assert reading.report.rejected == 1


def test_metadata_may_be_a_hundred_deep(read, write_rows):
    path = write_rows(b'{"text": "x", "metadata": {"k": ' + b'{"k": ' * 98 + b"[1]" + b"}" * 98 + b"}}")
    assert read(path).errors == []


def test_a_text_of_ten_megabytes_is_read(read, write_rows):
    reading = read(write_rows({"id": "big", "text": "ώρα " * 2_500_000}))
    assert len(reading.documents[0].text) == 10_000_000


def test_a_repeated_id_in_one_file_keeps_the_first_row(read, write_rows):
    path = write_rows({"id": 1, "text": "first"}, {"id": "1", "text": "second"}, {"id": "2", "text": "third"})
    reading = read(path)
    assert [document.text for document in reading.documents] == ["first", "third"]
    assert reading.errors == [f"{path}, line 2: repeats the document id '1'; the first one is kept"]


def test_a_file_without_rows_is_reported(read, write_rows):
    path = write_rows(b"", b"  ")
    reading = read(path)
    assert reading.documents == []
    assert reading.errors == [f"{path}: holds no rows"]


def test_utf_16_is_refused_as_a_whole(read, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a", "text": "x"}\n' * 3, encoding="utf-16")
    with pytest.raises(CorpusError, match="is UTF-16, not UTF-8: save it as UTF-8"):
        read(path)


def test_only_a_line_over_the_limit_is_refused():
    row = b'{"id":"b","text":"%s"}'
    lines = [row % (b"x" * 20), row % (b"y" * 21), row % (b"z" * 5_000_000), b'{"id":"c","text":"x"}']
    limit = len(lines[0])
    found = list(parse_jsonl(io.BytesIO(b"\r\n".join(lines)), given_file(Path("f.jsonl")), max_line_bytes=limit))
    assert [row.line if isinstance(row, RowError) else row.document.id for row in found] == ["b", 2, 3, "c"]
    assert str(found[1]) == f"f.jsonl, line 2: is longer than {limit} bytes: split the document"


@given(content=st.lists(st.one_of(st.binary(), st.text().map(str.encode)), max_size=6).map(b"\n".join))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_bytes_give_documents_or_row_errors(content):
    rows = parse_jsonl(io.BytesIO(content), given_file(Path("f.jsonl")))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        with pytest.raises(RowError, match="UTF-16"):
            list(rows)
        return
    lines = sum(bool(line.strip()) for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n"))
    found = list(rows)
    assert len(found) == max(lines, 1)
    assert all(isinstance(row, RowError) for row in found)


@given(text=st.text().filter(str.strip), title=st.text(), key=st.text(), escape=st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_unicode_row_comes_back_as_it_was(text, title, key, escape):
    line = json.dumps({"id": "a", "text": text, "title": title, "metadata": {key: key}}, ensure_ascii=escape)
    (row,) = parse_jsonl(io.BytesIO(line.encode()), given_file(Path("f.jsonl")))
    assert isinstance(row, Row)
    assert (row.document.text, row.document.title, row.document.metadata) == (text, title, {key: key})
