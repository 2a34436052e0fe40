from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from corpora import CorpusError

ROOT = Path(__file__).parents[2]

PAGE = """<!DOCTYPE html><html lang="el"><head><title>Η Σίφνος - Νησιά</title><style>p {color: red}</style></head>
<body><nav><a href="/">Αρχική</a> <a href="/x">Χάρτης του ιστοτόπου</a></nav>
<article><h1>Η Σίφνος</h1>
<p>Η Σίφνος είναι νησί των Δυτικών Κυκλάδων, γνωστό για την κεραμική του τέχνη και τη μαγειρική του παράδοση.
Το νησί έχει περίπου δυόμισι χιλιάδες κατοίκους και απέχει από τον Πειραιά περίπου εβδομήντα τέσσερα ναυτικά μίλια.</p>
<p>Η πρωτεύουσα λέγεται <b>Απολλωνία</b> &amp; βρίσκεται στο κέντρο του νησιού, πάνω σε τρεις λόφους με λευκά
σπίτια.</p>
</article><script>var secret = 1;</script><footer>Όροι χρήσης</footer></body></html>"""


def read_one(read, tmp_path, content, name="page.html"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (document,) = read(path).documents
    return document


def test_main_text_and_title_are_extracted(read, tmp_path):
    document = read_one(read, tmp_path, PAGE)
    assert (document.id, document.title, document.language) == ("page.html", "Η Σίφνος", "el")
    assert "Απολλωνία & βρίσκεται" in document.text
    assert "μίλια.\n\nΗ πρωτεύουσα" in document.text
    for furniture in ("secret", "color", "Χάρτης", "Όροι", "<"):
        assert furniture not in document.text


@pytest.mark.parametrize("headline", ["[1]", '{"a": 1}', "5"])
def test_a_declared_title_that_is_no_text_is_not_taken(read, tmp_path, headline):
    declared = f'{{"@context": "https://schema.org", "@type": "NewsArticle", "headline": {headline}}}'
    page = PAGE.replace("</head>", f'<script type="application/ld+json">{declared}</script></head>')
    document = read_one(read, tmp_path, page)
    assert document.title == "page"
    assert "Απολλωνία" in document.text


@pytest.mark.parametrize("name", ["a.htm", "A.HTML", "a.xhtml"])
def test_every_suffix_of_html_is_known(read, tmp_path, name):
    assert "Απολλωνία" in read_one(read, tmp_path, PAGE, name).text


def test_odd_pages_print_nothing(tmp_path):
    page = tmp_path / "a.html"
    page.write_text("<html><body><p>One <b>bold</b> word</p><script>no</script><div>Two</div>")
    code = (
        "import sys, corpora; report = corpora.ReadReport();"
        "print(sum(1 for _ in corpora.read_documents(sys.argv[1:], report=report)))"
    )
    done = subprocess.run([sys.executable, "-c", code, page], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_a_fragment_is_read_as_a_whole(read, tmp_path):
    document = read_one(read, tmp_path, "<p>One <b>bold</b> word &amp; more</p><script>no</script><div>Two</div>")
    assert (document.text, document.title) == ("One bold word & more\n\nTwo", "page")


@pytest.mark.parametrize("page", ["<html><body>" + "<div>" * 100_000 + "deep</html>", "<p>" * 100_000 + "deep"])
def test_a_page_too_deep_or_too_large_for_the_search_is_read_as_a_whole(read, tmp_path, page):
    assert read_one(read, tmp_path, page).text == "deep"


def test_a_declared_charset_is_used(read, tmp_path):
    page = '<html><head><meta charset="windows-1253"></head><body><p>Καλημέρα σας</p></body></html>'
    assert read_one(read, tmp_path, page.encode("windows-1253")).text == "Καλημέρα σας"


def test_a_wrongly_declared_charset_loses_to_valid_utf_8(read, tmp_path):
    page = '<html><head><meta charset="windows-1253"></head><body><p>Καλημέρα σας</p></body></html>'
    assert read_one(read, tmp_path, page).text == "Καλημέρα σας"


@pytest.mark.parametrize(
    "charset",
    [b"", b"<meta charset=utf-8>", b"<meta charset=no-such>", b"<meta charset=rot13>", b"<meta charset=idna>"],
)
def test_bytes_that_cannot_be_decoded_are_refused(read, tmp_path, charset):
    path = tmp_path / "a.html"
    path.write_bytes(charset + b"<p>\xff</p>")
    with pytest.raises(CorpusError, match=r"a\.html: is not UTF-8 \(byte 0xff in line 1\): save it as UTF-8"):
        read(path)


@pytest.mark.parametrize("page", ["", "<html></html>", "<html><head><title>T</title></head><body> </body></html>"])
def test_a_page_without_text_is_reported(read, tmp_path, page):
    (tmp_path / "a.html").write_text(page)
    assert read(tmp_path).errors == [f"{tmp_path / 'a.html'}: holds no text"]


def test_a_charset_that_gives_half_a_surrogate_pair_is_refused(read, tmp_path):
    (tmp_path / "a.html").write_bytes(b"<meta charset=unicode_escape><p>\\ud800 \xff</p>")
    with pytest.raises(CorpusError, match="is not UTF-8"):
        read(tmp_path / "a.html")


def test_half_a_surrogate_pair_in_a_character_reference_becomes_a_replacement(read, tmp_path):
    assert read_one(read, tmp_path, "<p>a &#xD800; b</p>").text == "a \ufffd b"
