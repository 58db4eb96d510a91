"""The errors that mcprop raises on purpose, each with the exit code of its kind."""

from __future__ import annotations

from collections.abc import Iterable


class McpropError(Exception):
    """Base of every error that mcprop raises on purpose.

    The message is written for the person at the keyboard: one sentence a problem, no internals.
    """

    exit_code: int = 2
    """Exit status of the command line when this error ends it."""

    can_go_on: bool = False
    """Whether it has ended a run that can be resumed."""

    def __init__(self, *arguments: object) -> None:
        # names of files and the like may hold anything, and no terminal is to obey it
        super().__init__(*(one_line(a) if isinstance(a, str) else a for a in arguments))


class ConfigError(McpropError):
    """A configuration that cannot be run.

    Parameters
    ----------
    problems : iterable of str, or str
        Every problem found, one line each, starting with the dotted name of the key.

    Attributes
    ----------
    problems : list of str
        The same lines, with line breaks and other control characters made visible.
    """

    def __init__(self, problems: Iterable[str] | str) -> None:
        lines = [problems] if isinstance(problems, str) else list(problems)
        self.problems: list[str] = [one_line(line) for line in lines]
        Exception.__init__(self, "\n".join(self.problems))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[list[str]]]:
        """Pickle by the list of problems, so that the error crosses a process border whole."""
        return type(self), (self.problems,)


class UnitsError(McpropError, ValueError):
    """A quantity without a unit, with a wrong one, or where plain numbers are taken."""


class RangeError(McpropError, ValueError):
    """A number outside of what is allowed or known."""


class ModelError(McpropError, TypeError):
    """A model that does not answer what a kernel asks of it, or answers it wrongly."""


class OutputError(McpropError):
    """Trouble with files or the disk: missing, unwritable, or already there."""

    exit_code = 3


class ExecutorError(McpropError):
    """Trouble with those who compute: a cluster that does not answer, a worker that is no help."""

    exit_code = 3


class StoppedError(McpropError):
    """A run that was asked to stop, has kept what it has, and can go on later.

    Parameters
    ----------
    message : str
        What has happened.
    dropped : int
        Batches that were still under way.
    """

    exit_code = 0

    def __init__(self, message: str, dropped: int = 0) -> None:
        super().__init__(message)
        self.dropped = dropped


def one_line(text: str) -> str:
    """Escape whatever would break the line or upset a terminal.

    Parameters
    ----------
    text : str
        Such as the name of a file.

    Returns
    -------
    str
        Printable text; what is not printable stands there as ``\\x1b``.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
