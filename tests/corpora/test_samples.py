from __future__ import annotations

from collections import Counter

from corpora import ReadReport, read_documents, sample_documents, sample_questions

MAIN_LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")


def test_every_sample_document_is_read():
    report = ReadReport()
    documents = list(read_documents([sample_documents()], report=report))
    assert report.errors == []
    assert len(documents) >= 66
    languages = Counter(document.language for document in documents)
    assert all(languages[language] >= 4 for language in MAIN_LANGUAGES)


def test_sample_questions_point_at_words_of_their_documents():
    documents = {document.id: document for document in read_documents([sample_documents()], report=ReadReport())}
    questions = sample_questions()
    assert len(questions) >= 60
    assert len({question.id for question in questions}) == len(questions)
    for question in questions:
        assert (question.document_id is None) == (question.answers == ())
        if question.document_id is not None:
            text = documents[question.document_id].text
            assert any(answer in text for answer in question.answers), question.id
