from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import Section
from corpora.markdown import heading_sections, markdown_headings


def read_one(read, tmp_path, content, name="guide.md"):
    path = tmp_path / name
    path.write_bytes(content.encode())
    (document,) = read(path).documents
    return document


def test_text_is_the_raw_file_and_headings_are_sections(read, tmp_path):
    content = "# Σίφνος\n\nΝησί.\n\n## Τέχνη\n\nΚεραμική.\n\n### Πηλός\n\nΚόκκινος.\n\n## Χωριά\n\nΑρτεμώνας.\n"
    document = read_one(read, tmp_path, content)
    assert document.text == content
    assert (document.id, document.title, document.language) == ("guide.md", "Σίφνος", "el")
    assert document.sections == (
        Section(start=0, headings=("Σίφνος",)),
        Section(start=content.index("## Τέχνη"), headings=("Σίφνος", "Τέχνη")),
        Section(start=content.index("### Πηλός"), headings=("Σίφνος", "Τέχνη", "Πηλός")),
        Section(start=content.index("## Χωριά"), headings=("Σίφνος", "Χωριά")),
    )


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_places_hold_for_every_line_end(read, tmp_path, line_end):
    content = line_end.join(["\ufeffintro 😀", "", "Set *ext*", "======", "body\u2028still body", "## Two", "end"])
    document = read_one(read, tmp_path, content)
    text = document.text
    assert text == content.removeprefix("\ufeff")
    assert document.sections == (
        Section(start=text.index("Set"), headings=("Set ext",)),
        Section(start=text.index("## Two"), headings=("Set ext", "Two")),
    )


def test_markup_in_headings_is_stripped():
    (heading,) = markdown_headings("## A *b* `c_d` [e](u) ![f](i) &amp; \\* ##\n")
    assert (heading.level, heading.text) == (2, "A b c_d e f & *")


def test_what_only_looks_like_a_heading_is_none():
    text = "> # quoted\n\n- # listed\n\n```\n# code\n```\n\n    # indented\n\n#hash\n\n<div>\n# html\n</div>\n"
    assert markdown_headings(text) == []


def test_a_heading_without_text_of_its_own_joins_the_deeper_one_below():
    text = "# Top\n\n## Sub\n\nbody\n\n## Empty\n\n## Next\n\nmore\n"
    assert heading_sections(text, markdown_headings(text)) == (
        Section(start=0, headings=("Top", "Sub")),
        Section(start=text.index("## Empty"), headings=("Top", "Empty")),
        Section(start=text.index("## Next"), headings=("Top", "Next")),
    )


def test_front_matter_is_no_heading(read, tmp_path):
    document = read_one(read, tmp_path, "---\ntitle: x\nlayout: y\n---\n\n# Real\n\nbody\n")
    assert document.title == "Real"
    assert document.sections == (Section(start=document.text.index("# Real"), headings=("Real",)),)


@pytest.mark.parametrize("content", ["no heading at all", "## only level two\n\ntext", "#\n\nempty heading"])
def test_without_a_level_one_heading_the_title_is_the_file_name(read, tmp_path, content):
    assert read_one(read, tmp_path, content, name="my.notes.md").title == "my.notes"


def test_a_blank_file_is_reported(read, tmp_path):
    (tmp_path / "a.md").write_text("\n \n")
    assert read(tmp_path).errors == [f"{tmp_path / 'a.md'}: holds no text"]


@given(text=st.text(alphabet=st.sampled_from("#=- >`ab\n\r\x00\x0b\x0c\x85\u2028é😀*[]<")) | st.text())
def test_places_are_line_starts_for_any_text(text):
    headings = markdown_headings(text)
    starts = [section.start for section in heading_sections(text, headings)]
    assert starts == sorted(set(starts))
    for heading in headings:
        assert heading.start == 0 or text[heading.start - 1] in "\r\n"
        assert 0 <= heading.start < heading.end <= len(text)
        lines = text[heading.start : heading.end]
        assert lines.lstrip(" ").startswith("#") or lines.rstrip().endswith(("=", "-"))
