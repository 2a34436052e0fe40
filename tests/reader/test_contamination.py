"""Which sets count as seen in training."""

from __future__ import annotations

import pytest

from reader.contamination import contaminated_sets, contamination_warning


@pytest.mark.parametrize(
    ("files", "trained_on", "seen"),
    [
        (["data/xquad.el.json", "data/xquad.de.json"], ["squad1", "xquad"], ["xquad"]),
        (["XQuAD.el.json"], ["xquad-founding"], ["xquad"]),
        (["xquad.el.json.gz"], ["XQUAD.el"], ["xquad"]),
        (["squad1.1.en.dev.jsonl.gz", "mlqa.en.json"], ["squad1", "mlqa"], ["mlqa", "squad1"]),
        (["xquad-r.el.json"], ["xquad"], []),
        (["quad.el.json"], ["xquad", "quadrangle"], []),
        (["xquad/el.json"], ["xquad"], []),
        ([".json"], [""], []),
        (["xquad.el.json"], [], []),
    ],
)
def test_sets_go_by_the_first_part_of_a_name(files: list[str], trained_on: list[str], seen: list[str]) -> None:
    assert contaminated_sets(files, trained_on) == seen


def test_the_warning_is_one_line_that_names_reader_and_sets() -> None:
    warning = contamination_warning("founding", ["mlqa", "xquad"])
    assert warning.startswith("founding was trained on mlqa, xquad: ")
    assert "\n" not in warning
