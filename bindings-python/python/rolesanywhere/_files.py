"""How the files are opened that a user names: without waiting, and with the cause where that fails."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import FileIO


def open_file(path: str | os.PathLike[str]) -> FileIO:
    """Opens a file to read it, without a buffer.

    Pipes, devices and directories are refused: files are read again at a renewal, which a pipe is not,
    and one that nobody writes to would keep the caller for ever.

    Raises:
        OSError: it cannot be opened, or is no file. ``strerror`` is for people.
    """
    # Not waiting for the other end of a pipe, nor becoming the process's terminal.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError as error:
        if os.fspath(path).startswith("~"):
            error.strerror = (
                "there is no such file; `~` stands for a home directory in a shell only: "
                "write the whole path"
            )
        raise
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise OSError(
            0, f"it is {_kind(mode)}, not a file: pass what it holds, or write that to a file"
        )
    return os.fdopen(descriptor, "rb", buffering=0)


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a directory"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
