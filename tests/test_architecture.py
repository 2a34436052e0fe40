"""The shape of the code: who may import whom, how large a file may grow, and what no file may contain."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT: dict[str, set[str]] = {
    "corpora": set(),
    "encoder": set(),
    "indexer": {"corpora", "encoder"},
    "reader": {"corpora", "encoder"},
    "service": {"corpora", "encoder", "indexer", "reader"},
}
OURS = {*MAY_IMPORT, "tests", "benchmarks", "docs"}
HEAVY = {
    *("torch", "transformers", "sentence_transformers", "tokenizers", "faiss", "scipy", "sklearn", "numpy"),
    *("trafilatura", "fastapi", "pydantic", "uvicorn", "matplotlib"),
}
UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
NUMPY_PICKLES = {"load", "save", "savez", "savez_compressed", "NpzFile", "open_memmap", "read_array", "write_array"}
MOST_LINES = 320
MOST_FUNCTION_LINES = 60

# Folders that git ignores or that hold no text of ours.
NOT_OURS = {
    *(".git", ".venv", ".samples-index", ".checkpoints", "build", "dist"),
    *(".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__"),
}
TEXT_SUFFIXES = {".cfg", ".css", ".html", ".ini", ".js", ".json", ".jsonl", ".md", ".py", ".sh", ".toml", ".txt"}
MACHINE_PATH = re.compile(r"(?<![\w.}/])(?:/(?:root|work|home|Users)/[\w.]|[A-Z]:\\+Users\\)")


def product_files() -> list[Path]:
    return sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))


def python_files() -> list[Path]:
    rest = (path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
    return [*product_files(), *sorted(rest)]


def text_files() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:  # a copy of the tree without its history
        paths = [path for path in ROOT.rglob("*") if not NOT_OURS.intersection(path.relative_to(ROOT).parts)]
    for path in paths:
        if path.is_file() and (path.suffix in TEXT_SUFFIXES or not path.suffix):
            yield path


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=relative(path))


def dynamic_import(call: ast.Call) -> str | None:
    """Return the module that ``importlib.import_module("...")`` or ``__import__("...")`` names, if any."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in {"import_module", "__import__"} or not call.args:
        return None
    first = call.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def imported_modules(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of every import anywhere in the tree, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, package if node.level else str(node.module)
        elif isinstance(node, ast.Call) and (name := dynamic_import(node)) is not None:
            yield node.lineno, name


def forbidden_imports(tree: ast.AST, package: str) -> list[tuple[int, str]]:
    allowed = MAY_IMPORT[package] | {package}
    found = ((line, name.partition(".")[0]) for line, name in imported_modules(tree, package))
    return [(line, top) for line, top in found if top in OURS and top not in allowed]


def root_imports(tree: ast.AST, package: str) -> list[int]:
    """Return the lines where a module imports from the root of its own package what is not a module there."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(alias.name == package for alias in node.names):
            lines.append(node.lineno)
        elif isinstance(node, ast.ImportFrom) and (node.module == package or (node.level == 1 and node.module is None)):
            folder = ROOT / package
            names = [alias.name for alias in node.names]
            if not all((folder / f"{name}.py").exists() or (folder / name).is_dir() for name in names):
                lines.append(node.lineno)
    return lines


def unsafe_uses(tree: ast.AST) -> list[tuple[int, str]]:
    """Return (line, what) of everything that can run code out of a data file or out of a model repository."""
    found = [(line, name) for line, name in imported_modules(tree, "") if name.partition(".")[0] in UNSAFE_MODULES]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found += [(node.lineno, what) for what in unsafe_arguments(node)]
        elif isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            found += [(node.lineno, str(key)) for key in keys if key == "trust_remote_code"]
    return found


def unsafe_arguments(call: ast.Call) -> Iterator[str]:
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    if "trust_remote_code" in given and not is_constant(given["trust_remote_code"], False):
        yield "trust_remote_code"
    # NumPy's; a reader's own allow_pickle ends in torch.load with weights_only=True.
    of_numpy = ast.unparse(call.func).rpartition(".")[2] in NUMPY_PICKLES
    if of_numpy and "allow_pickle" in given and not is_constant(given["allow_pickle"], False):
        yield "allow_pickle"
    if ast.unparse(call.func) == "torch.load" and not is_constant(given.get("weights_only"), True):
        yield "torch.load without weights_only=True"


def is_constant(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def is_reexport(node: ast.stmt) -> bool:
    """Tell whether a statement may stand in an ``__init__.py``: docstring, import, or ``__all__``."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [getattr(target, "id", None) for target in targets] == ["__all__"]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_only_what_the_import_graph_allows(package: str) -> None:
    files = [path for path in product_files() if path.relative_to(ROOT).parts[0] == package]
    assert files, f"{package} is empty"
    assert {relative(path): bad for path in files if (bad := forbidden_imports(parse(path), package))} == {}


def test_the_import_check_sees_every_form_of_import() -> None:
    source = """
import os, service.cli
from indexer.passages import RetrievedPassage
def late():
    from tests import helpers
    import importlib
    importlib.import_module("benchmarks.speed")
    __import__("docs")
from . import spans
from corpora import Passage
"""
    assert forbidden_imports(ast.parse(source), "reader") == [
        (2, "service"), (3, "indexer"), (5, "tests"), (7, "benchmarks"), (8, "docs"),
    ]  # fmt: skip


def test_modules_import_their_neighbours_not_the_root_of_their_own_package() -> None:
    inside = [path for path in product_files() if path.name != "__init__.py"]
    wrong = {relative(path): root_imports(parse(path), path.relative_to(ROOT).parts[0]) for path in inside}
    assert {name: lines for name, lines in wrong.items() if lines} == {}


def test_init_files_only_reexport() -> None:
    inits = [path for path in product_files() if path.name == "__init__.py"]
    assert {path.parent.name for path in inits} >= set(MAY_IMPORT)
    wrong = {relative(path): [node.lineno for node in parse(path).body if not is_reexport(node)] for path in inits}
    assert {name: lines for name, lines in wrong.items() if lines} == {}


def test_tests_are_no_package() -> None:
    assert [relative(path) for path in (ROOT / "tests").rglob("__init__.py")] == []


def test_files_stay_short() -> None:
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_functions_stay_short() -> None:
    long = {
        f"{relative(path)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in product_files()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= MOST_FUNCTION_LINES
    }
    assert long == {}


def test_the_packages_and_the_command_line_import_nothing_heavy() -> None:
    code = "import sys, corpora, service.cli; print('\\n'.join(sorted(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = set(loaded.stdout.split())
    assert {"corpora", "service.cli"} <= modules
    assert HEAVY & modules == set()


def test_no_data_file_can_run_code() -> None:
    found = {relative(path): unsafe_uses(parse(path)) for path in python_files()}
    assert {name: uses for name, uses in found.items() if uses} == {}


def test_the_unsafe_check_sees_each_unsafe_use() -> None:
    source = """
import pickle
from joblib import load
import torch, numpy
torch.load("x")
torch.load("x", weights_only=True)
torch.load("x", weights_only=False)
numpy.load("x", allow_pickle=True)
numpy.load("x", allow_pickle=False)
AutoModel.from_pretrained("x", trust_remote_code=flag)
options = {"trust_remote_code": True}
"""
    assert sorted(line for line, _ in unsafe_uses(ast.parse(source))) == [2, 3, 5, 7, 8, 10, 11]


def test_no_path_of_one_machine_is_written_down() -> None:
    files = list(text_files())
    assert ROOT / "pyproject.toml" in files
    found = {}
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        lines = [number for number, line in enumerate(text.splitlines(), 1) if MACHINE_PATH.search(line)]
        found[relative(path)] = lines
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("path", ["root/x", "work/main", "home/someone", "Users/someone"])
def test_the_path_check_sees_paths_and_lets_addresses_pass(path: str) -> None:
    assert MACHINE_PATH.search(f"open('/{path}')")
    assert MACHINE_PATH.search(f"see /{path}.")
    assert not MACHINE_PATH.search(f"https://example.org/{path}")


def test_product_code_knows_no_folder_outside_the_repository() -> None:
    texts = {relative(path): path.read_text(encoding="utf-8") for path in product_files()}
    assert [name for name, text in texts.items() if "../" in text] == []
