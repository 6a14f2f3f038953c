"""How both programs run: each error is a line or two, and what libraries print is nobody's."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from typing import NoReturn

import click

INTERRUPTED = 130  # as the shell has it for SIGINT
UNWRITTEN = 2


def run(cli: click.Command, name: str) -> NoReturn:
    """Run a command line and exit with its status; never a traceback."""
    _open_streams()
    _quieten()
    try:
        status = cli.main(prog_name=name, standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status if isinstance(status, int) else 0)
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _drop_output()
        sys.exit(0)
    except OSError as error:  # a full disk, or a device that takes nothing
        _drop_output()
        with contextlib.suppress(OSError):
            click.echo(f"Error: cannot read or write: {error.strerror or error}", err=True)
        sys.exit(UNWRITTEN)


def _open_streams() -> None:
    """Stand in for standard streams that the caller closed, which Python has as None."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115  # to the end


def _quieten() -> None:
    """Keep what libraries log and warn of off the terminal: it quotes secrets, and helps nobody.

    And let pydantic look for no plugin in what is installed beside us: a tenth of a short run.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    logging.getLogger().addHandler(logging.NullHandler())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _drop_output() -> None:
    """Have the interpreter's last flush succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
