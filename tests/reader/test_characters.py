from reader.decoding import CharacterSpan, TokenSpan, to_characters


def cut(text: str, offsets: list[tuple[int, int]], first: int, last: int) -> CharacterSpan | None:
    """Cut a span of tokens whose passage begins at window position 3."""
    return to_characters(TokenSpan(score=1.5, first=first + 3, last=last + 3), text, offsets, 3, 0)


def test_an_accent_stays_with_its_letter() -> None:
    text = "Cafe\u0301 noir"
    assert cut(text, [(0, 4), (6, 10)], 0, 0) == CharacterSpan(start=0, end=5, score=1.5)
    assert cut("e\u0301t", [(0, 1), (1, 3)], 1, 1) == CharacterSpan(start=0, end=3, score=1.5)


def test_white_space_at_the_ends_is_cut_off() -> None:
    assert cut("a  b c", [(0, 1), (1, 5), (5, 6)], 1, 1) == CharacterSpan(start=3, end=4, score=1.5)


def test_a_span_of_white_space_is_none() -> None:
    assert cut("a   b", [(0, 1), (1, 4), (4, 5)], 1, 1) is None
