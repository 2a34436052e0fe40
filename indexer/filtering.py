"""Which passages a question may find: by language, by source, by the metadata of their documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from corpora.errors import UsageError
from corpora.languages import canonical_language
from corpora.sources import is_encodable
from indexer.schema import Value

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a metadata value must be: one of ``any_of``, and not beyond the bounds, which are inclusive.

    A value that is a list need hold only one member that is all of this. Numbers are compared with numbers, text with
    text by code points; a document without a value of that name does not fit. A condition without any of the three is
    a UsageError, and so is a value that no metadata can hold: a lone surrogate, a number beyond 64 bits or none at all.
    """

    name: str
    any_of: tuple[Scalar, ...] = ()
    at_least: str | float | None = None
    at_most: str | float | None = None

    def __post_init__(self) -> None:
        if not self.any_of and self.at_least is None and self.at_most is None:
            raise UsageError(f"the filter on {self.name!r} says nothing: give a value, a list of values, or a bound")
        for value in (self.name, *self.any_of, self.at_least, self.at_most):
            _check(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageFilter:
    """Passages in any of the languages, from any of the sources, of documents that meet all conditions.

    Nothing given means that all fit. A language is a BCP 47 code and stands for its variants too ("zh" for "zh-Hant");
    "und" is that of passages without one, and what is no code is a UsageError. A source is a file's whole path, or its
    last part.
    """

    languages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    metadata: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        for source in self.sources:
            _check(source)
        for language in self.languages:
            if canonical_language(language) is None:
                raise UsageError(f"the language {language!a} is no BCP 47 code: give one such as el or zh-Hant")

    def __bool__(self) -> bool:
        return bool(self.languages or self.sources or self.metadata)

    def sql(self) -> tuple[str, list[Value]]:
        """Return a condition on the rows p (passages) and d (documents), and its parameters."""
        parts, parameters = ["TRUE"], list[Value]()
        languages = [str(canonical_language(language)) for language in self.languages]
        for wanted, test in ((languages, _LANGUAGE), (self.sources, _SOURCE)):
            if wanted:
                parts.append(_any([test] * len(wanted)))
                parameters += [value for value in wanted for _ in range(test.count("?"))]
        for condition in self.metadata:
            of_value, of_member = (_test(condition, alias) for alias in ("m", "e"))
            parts.append(_METADATA.format(of_value[0], of_member[0]))
            parameters += [condition.name, *of_value[1], *of_member[1]]
        return " AND ".join(parts), parameters


def _check(value: Scalar | None) -> None:
    if isinstance(value, str) and not is_encodable(value):
        raise UsageError(f"the filter value {value!a} holds a lone surrogate: give valid Unicode text")
    if isinstance(value, int | float) and not (isfinite(value) and -(2**63) <= value < 2**63):
        raise UsageError(f"the filter value {value} is no number of at most 64 bits: give another one")


_LANGUAGE = "(coalesce(p.language, 'und') = ? OR substr(p.language, 1, 1 + length(?)) = ? || '-')"
_SOURCE = "(d.source = ? OR substr(d.source, -1 - length(?)) = '/' || ?)"
_METADATA = (
    "EXISTS (SELECT 1 FROM json_each(d.metadata) m WHERE m.key = ? AND ((m.type <> 'array' AND {}) OR "
    "(m.type = 'array' AND EXISTS (SELECT 1 FROM json_each(m.value) e WHERE {}))))"
)


def _test(condition: Condition, alias: str) -> tuple[str, list[Value]]:
    values = [_compared(alias, "=", value) for value in condition.any_of]
    bounds = [
        _compared(alias, sign, bound)
        for sign, bound in ((">=", condition.at_least), ("<=", condition.at_most))
        if bound is not None
    ]
    parts = [_any([sql for sql, _ in values])] if values else []
    return (
        "(" + " AND ".join(parts + [sql for sql, _ in bounds]) + ")",
        [value for _, parameters in (*values, *bounds) for value in parameters],
    )


def _compared(alias: str, sign: str, value: Scalar) -> tuple[str, list[Value]]:
    if isinstance(value, bool):
        return f"{alias}.type = ?", ["true" if value else "false"]
    kinds = "('text')" if isinstance(value, str) else "('integer', 'real')"
    return f"({alias}.type IN {kinds} AND {alias}.value {sign} ?)", [value]


def _any(tests: Sequence[str]) -> str:
    return "(" + " OR ".join(tests) + ")"
