"""What of a passage is embedded."""

from __future__ import annotations

from corpora.documents import Passage

CONTEXT_RECIPE = "title+headings"
_LONGEST_CONTEXT = 300


def embedding_text(passage: Passage) -> str:
    """Return the passage's text below a line of its title and a line of its heading path, where it has them.

    Each line is cut to 300 code points, so that a runaway title does not push the text out of the encoder's window. A
    heading path that only repeats the title is left out.
    """
    headings = " > ".join(heading.strip() for heading in passage.headings if heading.strip())
    title = passage.title.strip()
    lines = [title] if headings == title else [title, headings]
    return "\n".join([line[:_LONGEST_CONTEXT] for line in lines if line] + [passage.text])
