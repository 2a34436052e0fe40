"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from service.settings import MAX_TOP_K

IndexOption = Annotated[str, typer.Option("--index", metavar="DIR", help="The index directory.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write the result as one JSON object.")]
DeviceOption = Annotated[
    str, typer.Option("--device", metavar="NAME", help="auto (the GPU where there is one), cpu or cuda.")
]
ReaderOption = Annotated[
    str | None,
    typer.Option("--reader", metavar="PATH", help="Directory of another reader; Spanglot's own where left out."),
]
TopKOption = Annotated[int, typer.Option("--top-k", "-k", metavar="N", help=f"How many, from 1 to {MAX_TOP_K}.")]
QuestionArgument = Annotated[
    str, typer.Argument(metavar="QUESTION", help='The question, in any language; "-" reads it from standard input.')
]
