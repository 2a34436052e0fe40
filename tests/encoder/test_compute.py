import pytest
import torch

from encoder import ModelError, choose_compute, home_directory


def test_the_cpu_takes_bf16_only_where_it_has_instructions_for_it() -> None:
    capabilities = torch.cpu.get_capabilities()
    fast = capabilities.get("amx_bf16", False) or capabilities.get("avx512_bf16", False)
    chosen = choose_compute("cpu")
    assert chosen.device.type == "cpu"
    assert chosen.dtype == (torch.bfloat16 if fast else torch.float32)


def test_auto_takes_the_gpu_where_there_is_one() -> None:
    assert choose_compute("auto").device.type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_an_unknown_device_is_named_with_the_choices() -> None:
    with pytest.raises(ModelError, match="device 'tpu' is not known: choose one of auto, cpu, cuda"):
        choose_compute("tpu")


def test_home_is_the_named_directory_or_the_platforms_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("SPANGLOT_HOME", "/srv/spanglot")
    assert str(home_directory()) == "/srv/spanglot"
    monkeypatch.delenv("SPANGLOT_HOME")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    assert str(home_directory()) == "/var/cache/me/spanglot"
