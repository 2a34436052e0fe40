"""The command line: which commands there are, and the one place where errors become lines on stderr."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from service.commands import ask, calibrate, demo, evaluate, index, inspecting, maintaining, serve, train

INTERRUPTED = 130

app = typer.Typer(
    name="spanglot",
    help="Questions in any language, answered with the exact words of your own documents.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some rows rejected, 130 interrupted.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    index.index,
    ask.ask,
    ask.search,
    inspecting.show,
    inspecting.info,
    maintaining.delete,
    maintaining.verify,
    maintaining.compact,
    serve.serve,
    demo.demo,
    train.train,
    calibrate.calibrate,
):
    app.command()(command)
# Without this a bare "spanglot evaluate" would raise its whole help as an error.
app.add_typer(evaluate.app, no_args_is_help=False)


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Questions in any language, answered with the exact words of your own documents."""
    from service.version import spanglot_version

    if version:
        typer.echo(f"spanglot {spanglot_version()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; a mistake of the user is one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a script gets escapes rather than nothing.
            stream.reconfigure(errors="backslashreplace")
    try:
        returned = typer.main.get_command(app).main(
            args=None if arguments is None else list(arguments), prog_name="spanglot", standalone_mode=False
        )
        sys.stdout.flush()
        if returned == INTERRUPTED:
            return _report("interrupted", INTERRUPTED)
        return returned if isinstance(returned, int) else 0
    except BrokenPipeError:
        return _leave_quietly()
    except (KeyboardInterrupt, typer.Abort):
        return _report("interrupted", INTERRUPTED)
    except TyperException as error:
        return _report(_with_hint(error), error.exit_code)
    except Exception as error:
        from service import failures

        failure = failures.describe(error)
        if failure is None:
            raise
        return _report(failure.message, failure.exit_code)


def _with_hint(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    if context is None:
        return error.format_message()
    return f"{error.format_message().rstrip('.')} (see {context.command_path} --help)"


def _report(message: str, exit_code: int) -> int:
    from service.commands import console

    text = f"spanglot: error: {console.one_line(message)}"
    sys.stderr.write(text.encode("utf-8", errors="backslashreplace").decode("utf-8") + "\n")
    return exit_code


def _leave_quietly() -> int:
    # Whoever read stdout has left; the interpreter would complain once more when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


if __name__ == "__main__":
    sys.exit(main())
