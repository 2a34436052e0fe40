"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from service.settings import MAX_TOP_K, SearchMode


def _known_device(name: str) -> str:
    from encoder.compute import DEVICES

    if name not in DEVICES:
        raise typer.BadParameter(f"{name!r} is not known: choose one of {', '.join(DEVICES)}")
    return name


DirectoryArgument = Annotated[str, typer.Argument(metavar="DIR", help="The index directory.")]
IndexOption = Annotated[str, typer.Option("--index", metavar="DIR", help="The index directory.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write the result as one JSON object.")]
DataOption = Annotated[str, typer.Option("--data", metavar="DIR", help="The folder with the recipe's files.")]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="NAME",
        callback=_known_device,
        help="auto (the GPU where there is one), cpu or cuda.",
    ),
]
ModeOption = Annotated[
    SearchMode, typer.Option("--mode", help="By meaning and by words, by meaning alone, or by words alone.")
]
ReaderOption = Annotated[
    str | None,
    typer.Option("--reader", metavar="NAME_OR_PATH", help="Another reader; Spanglot's own where left out."),
]
AllowPickleOption = Annotated[
    bool, typer.Option("--allow-pickle", help="Read a reader's pytorch_model.bin where it has no safetensors.")
]
TopKOption = Annotated[int, typer.Option("--top-k", "-k", metavar="N", help=f"How many, from 1 to {MAX_TOP_K}.")]
QuestionArgument = Annotated[
    str, typer.Argument(metavar="QUESTION", help='The question, in any language; "-" reads it from standard input.')
]
