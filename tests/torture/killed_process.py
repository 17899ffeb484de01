"""Programs that die just before one of their file operations."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

CHANGES = {
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.truncate",
    "os.chmod",
}
"""Audit events of Python that change the file system; `open` does where it is for writing."""


def killed_before(number: int, program: Callable[[], Any]) -> bool:
    """Run a program in a forked process, and kill that before its file operation with this number, from 1.

    Returns:
        whether it was killed; it was not, if it needs fewer operations.

    Raises:
        AssertionError: the program failed by itself.
    """
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _kill_before(number)
            program()
            status = 0
        finally:
            os._exit(status)
    _, ended = os.waitpid(pid, 0)
    if os.WIFSIGNALED(ended):
        assert os.WTERMSIG(ended) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(ended) == 0
    return False


def _kill_before(number: int) -> None:
    done = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal done
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        if event in CHANGES or writes:
            done += 1
            if done == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)  # for good, and for this process alone
