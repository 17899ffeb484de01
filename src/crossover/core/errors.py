"""The one exception for a mistake that the user can fix, and one sentence for every such mistake."""

import errno
import re


class CrossoverError(Exception):
    """A mistake in the input or on the machine that the user can fix.

    The text is one sentence: the rule, the value that breaks it, where that value came from, what to do.
    The command line prints the sentence alone and exits with a status other than 0.
    """


def first_line(error: BaseException) -> str:
    """The first line of an exception's message; its type where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def without_secrets(text: str) -> str:
    """A text with stars where its addresses hold a user and a password, or a password or a token among their options.

    A password may hold "/" and "@", so everything up to the last "@" of an address is left out, and with it a part of
    the path where that holds an "@".
    """
    text = re.sub(r"(?<=://)[^\s'\"]*@", "***@", text)
    return re.sub(rf"(?i)((?:{_SECRET_OPTIONS})[a-z_]*=)[^&;\s'\"]*", r"\1***", text)


_SECRET_OPTIONS = "passw|pwd|token|secret|api_?key|access_?key|signature|credential"


_ADVICE = {
    errno.EACCES: "give yourself permission to write there",
    errno.EPERM: "give yourself permission to write there",
    errno.EROFS: "choose a place that can be written",
    errno.ENOSPC: "free some space on that disk",
    errno.ENOTDIR: "move the file that stands where a folder should be",
    errno.EEXIST: "move the file that stands where a folder should be",
    errno.EDQUOT: "free some of your quota on that disk",
    errno.EBUSY: "it is in use or a mount point; mount the folder above it instead",
}


def sentence(error: BaseException) -> str | None:
    """The sentence for a mistake that the user can fix; None for a mistake of ours."""
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    if isinstance(error, CrossoverError):
        return str(error)
    if isinstance(error, OmegaConfBaseException):
        return " ".join(str(error).split()) + "; check the YAML files in conf/ and the command line"
    if isinstance(error, UnicodeDecodeError):
        return f"a text file must be in UTF-8, got {error}; save it as such"
    if isinstance(error, YAMLError):  # of a file in conf/; the text says which
        return " ".join(str(error).split()) + "; correct that file"
    if isinstance(error, OSError) and error.errno in _ADVICE:
        return f"cannot write {error.filename or 'a file'}: {error.strerror}; {_ADVICE[error.errno]}"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; what was finished is kept, and the same command carries on from there"
    return None
