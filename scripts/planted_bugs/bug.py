"""What a bug to be planted is.

Each replaces `old`, which stands exactly once in `file`, by `new`; `tests` are arguments of pytest
that select what should notice.  Where code has moved on, the replacement no longer fits and the
script says so: write it anew for the code as it is.
"""

from typing import NamedTuple


class Bug(NamedTuple):
    """A bug to be planted.

    Parameters
    ----------
    kind : str
        What sort of mistake it is.
    name : str
        What is wrong then.
    file : str
        Where, relative to the root of the checkout.
    old, new : str
        The text, and what replaces it.
    tests : tuple of str
        Tests that should notice.
    """

    kind: str
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
