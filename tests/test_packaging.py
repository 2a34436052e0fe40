"""What is shipped: the wheel, the lock, and the licence."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = ["corpora", "encoder", "indexer", "reader", "service"]
LOCK_PYTHON = "3.11"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """Build the wheel from the checkout, with what is installed and without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("spanglot-*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def files_below(folder: str) -> set[str]:
    paths = (ROOT / folder).rglob("*")
    found = {path.relative_to(ROOT).as_posix() for path in paths if path.is_file() and path.suffix != ".pyc"}
    assert found, f"{folder} is empty"
    return found


def text_of(wheel: zipfile.ZipFile, name: str) -> str:
    (path,) = [entry for entry in wheel.namelist() if PurePosixPath(entry).match(f"*.dist-info/{name}")]
    return wheel.read(path).decode()


def lock_lines() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def locked() -> dict[str, Version]:
    pins = (line.split("==") for line in lock_lines())
    return {str(canonicalize_name(name)): Version(pinned) for name, pinned in pins}


def required_by(distribution: str, extras: set[str]) -> Iterator[Requirement]:
    try:
        lines = requires(distribution) or []
    except PackageNotFoundError:  # another Python than the lock's may need less
        return
    for line in lines:
        requirement = Requirement(line)
        environments = [{"extra": extra, "python_version": LOCK_PYTHON} for extra in ("", *extras)]
        if requirement.marker is None or any(requirement.marker.evaluate(given) for given in environments):
            yield requirement


def closure() -> set[str]:
    """Return every distribution that ``spanglot[test]`` needs, torch's own needs left to torch."""
    seen: set[str] = set()
    waiting = [Requirement(line) for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]]
    while waiting:
        requirement = waiting.pop()
        name = str(canonicalize_name(requirement.name))
        if name in seen and not requirement.extras:
            continue
        seen.add(name)
        if name != "torch":
            waiting.extend(required_by(name, requirement.extras))
    return seen


def third_party_imports() -> dict[str, set[str]]:
    """Return the top-level modules that the product imports and that are neither ours nor Python's."""
    found: dict[str, set[str]] = {}
    for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [str(node.module)]
            for top in {name.partition(".")[0] for name in names} - {*PACKAGES, *sys.stdlib_module_names}:
                found.setdefault(top, set()).add(path.relative_to(ROOT).as_posix())
    return found


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {PurePosixPath(name).parts[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert not [name for name in wheel.namelist() if name.endswith(".pyc")]


@pytest.mark.parametrize("folder", PACKAGES)
def test_the_wheel_holds_every_file_of_a_package(wheel: zipfile.ZipFile, folder: str) -> None:
    assert files_below(folder) <= set(wheel.namelist())


def test_the_wheel_holds_the_samples(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert "corpora/samples/questions.jsonl" in names
    languages = {PurePosixPath(name).stem for name in names if name.startswith("corpora/samples/documents/")}
    assert languages >= {"ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"}


@pytest.mark.parametrize("name", ["reader.json", "model.safetensors"])
def test_the_wheel_holds_the_reader(wheel: zipfile.ZipFile, name: str) -> None:
    assert wheel.getinfo(f"reader/weights/default/{name}").file_size > 0


def test_the_wheel_offers_the_command(wheel: zipfile.ZipFile) -> None:
    assert text_of(wheel, "entry_points.txt").split("\n")[:2] == ["[console_scripts]", "spanglot = service.cli:main"]


def test_the_wheel_carries_licence_and_version(wheel: zipfile.ZipFile) -> None:
    assert text_of(wheel, "licenses/LICENSE") == (ROOT / "LICENSE").read_text(encoding="utf-8")
    fields = text_of(wheel, "METADATA").partition("\n\n")[0].splitlines()
    assert {"Name: spanglot", f"Version: {PROJECT['version']}", "License-Expression: Apache-2.0"} <= set(fields)


def test_the_changelog_knows_the_version() -> None:
    headings = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings[:2] == ["Unreleased", PROJECT["version"]]


def test_the_lock_is_exact_pins_with_torch_first() -> None:
    lines = lock_lines()
    assert lines[0] == "torch==2.13.0"
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []
    assert lines[1:] == sorted(lines[1:], key=str.lower)
    assert [line for line in lines if re.match(r"nvidia|cuda|triton", line)] == []


def test_the_lock_pins_all_that_is_needed() -> None:
    assert closure() - set(locked()) == set()


def test_the_lock_satisfies_what_the_project_asks_for() -> None:
    asked = [Requirement(line) for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]]
    pins = locked()
    broken = [str(one) for one in asked if not one.specifier.contains(pins[str(canonicalize_name(one.name))])]
    assert broken == []


def test_what_is_installed_is_what_is_locked() -> None:
    installed = {name: Version(version(name)) for name in closure()}
    pins = locked()
    wrong = {name: str(found) for name, found in installed.items() if Version(found.public) != pins[name]}
    assert wrong == {}


def test_every_library_that_is_imported_is_a_declared_dependency() -> None:
    lines = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["charts"]]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    providers = packages_distributions()
    undeclared = {
        module: sorted(files)
        for module, files in third_party_imports().items()
        if declared.isdisjoint(canonicalize_name(name) for name in providers.get(module, []))
    }
    assert undeclared == {}
