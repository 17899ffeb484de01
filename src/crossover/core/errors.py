"""The one exception for what a user can mend, and how others are told in a sentence."""

import re


class CrossoverError(Exception):
    """A mistake in the input or the surroundings that the user can mend.

    The text is one sentence: the rule, the value that breaks it, where that value came from, what to do.
    The command line prints the sentence alone and exits with a status other than 0.
    """


def first_line(error: BaseException) -> str:
    """The first line of an exception's message; its type where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def without_password(text: str) -> str:
    """A text whose addresses have stars where they had a user and a password."""
    return re.sub(r"//[^/@\s]*@", "//***@", text)
