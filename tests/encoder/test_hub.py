"""Names on a hub, and what is said where there is no network."""

from __future__ import annotations

import pytest

from encoder.errors import ModelError
from encoder.hub import fetch_model, is_hub_name


@pytest.mark.parametrize("text", ["name", "owner/name", "intfloat/multilingual-e5-small", "a.b_c-d/e"])
def test_a_name_with_or_without_its_owner_can_be_on_a_hub(text: str) -> None:
    assert is_hub_name(text)


@pytest.mark.parametrize("text", ["", ".", "./name", "../name", "/name", "owner/name/file", "owner/", "~/name", "a b"])
def test_a_path_is_no_name(text: str) -> None:
    assert not is_hub_name(text)


def test_without_a_network_the_error_is_one_line_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # The library reads the variable once, when it is imported.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"^owner/no-such-model is no directory here.*: give a path$") as caught:
        fetch_model("owner/no-such-model", cure="give a path")
    assert "\n" not in str(caught.value)
