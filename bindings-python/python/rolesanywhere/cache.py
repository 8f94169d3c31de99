"""Sharing sessions between processes: on the disk of one machine, or in a store of the caller's.

The service takes ten CreateSession calls a second from an account and region. Processes that share a
session make one call where each would make its own.

What is stored are credentials: whoever can read the store can use them until they expire.
"""

from __future__ import annotations

import contextlib
import os
import tempfile

from .errors import InvalidInputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager
    from typing import Protocol

    class Cache(Protocol):
        """Where sessions are shared: Redis, memcached, a table.

        Keys are 64 hexadecimal digits; values are bytes of about 2 kB that hold secrets. A method
        may raise, or take longer than two seconds: a warning is logged, and for a while the renewals
        go on without the cache. The methods are called in threads of the client's.
        """

        def load(self, key: str, /) -> bytes | None:
            """The value, or ``None``."""

        def store(self, key: str, value: bytes, ttl_seconds: int, /) -> None:
            """Stores a value that is of no use after so many seconds."""

        def lock(self, key: str, /) -> AbstractContextManager[object]:
            """Keeps others from renewing the same session meanwhile. To enter it may wait for another
            holder, or return ``False`` when there is one. One thread enters and leaves it. It should
            give up by itself when its holder dies, not before 30 seconds; two renewals at once do no
            harm but cost a call."""
            ...


#: The longest file that is read, in bytes: a session has about 2 kB, at most some 10 kB.
MAX_ENTRY_LENGTH = 256 * 1024


class DiskCache:
    """Sessions in a folder, for the processes of one user on one machine.

    The folder is made with mode 0700, files with 0600. A file that others can read or that is another
    user's is not used, and in a folder that others can write to, nothing is read or stored. Files are
    replaced whole, so a reader never sees half of one; a lock file keeps two processes from renewing
    at once, and is freed by the system when its holder dies.

    Args:
        folder: the folder; ``.aws/rolesanywhere/cache`` in the home directory when absent.

    Raises:
        InvalidInputError: the folder begins with ``~``, and there is none of that name.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        if folder is None:
            folder = os.path.join(os.path.expanduser("~"), ".aws", "rolesanywhere", "cache")
        self._folder = os.fspath(folder)
        if self._folder.startswith("~") and not os.path.exists(self._folder):
            raise InvalidInputError(
                f"there is no folder `{self._folder}`; `~` stands for a home directory in a shell only: "
                "write the whole path"
            )

    def load(self, key: str) -> bytes | None:
        """The stored value, or ``None``."""
        path = self._path(key, ".json")
        try:
            # Not through a link, nor waiting for the other end of a pipe.
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
            descriptor = os.open(path, flags)
            with os.fdopen(descriptor, "rb") as file:
                if not self._is_private() or not _is_own(os.fstat(descriptor), 0o077):
                    import logging

                    logging.getLogger("rolesanywhere").warning(
                        "the cached session `%s` is open to other users and is not used", path
                    )
                    return None
                value = file.read(MAX_ENTRY_LENGTH + 1)
        except OSError:
            return None
        return value if len(value) <= MAX_ENTRY_LENGTH else None

    def store(self, key: str, value: bytes, ttl_seconds: int) -> None:
        """Replaces the stored value. A disk that is full or read-only is no reason to fail: the
        credentials are there, they are just not shared."""
        try:
            self._make_folder()
            if not self._is_private():
                raise PermissionError(f"the folder `{self._folder}` is open to other users")
            # mkstemp makes it 0600.
            descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=self._folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(value)
                os.replace(temporary, self._path(key, ".json"))
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
        except OSError as error:
            import logging

            logging.getLogger("rolesanywhere").warning("the session cannot be cached: %s", error)

    @contextlib.contextmanager
    def lock(self, key: str) -> Generator[bool, None, None]:
        """Holds the lock of a session; yields ``False`` when another holds it. Where there can be no lock
        (a folder that cannot be written to), it is as good as held."""
        try:
            self._make_folder()
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
            descriptor = os.open(self._path(key, ".lock"), flags, 0o600)
        except OSError:
            yield True
            return
        _descriptors.add(descriptor)
        try:
            yield _try_lock(descriptor)
        finally:
            _descriptors.discard(descriptor)
            os.close(descriptor)  # which frees the lock

    def _make_folder(self) -> None:
        os.makedirs(self._folder, mode=0o700, exist_ok=True)

    def _is_private(self) -> bool:
        return _is_own(os.stat(self._folder), 0o022)

    def _path(self, key: str, suffix: str) -> str:
        if not key.isalnum():
            raise InvalidInputError(f"`{key}` is no key of a session: letters and digits only")
        return os.path.join(self._folder, key + suffix)


def _is_own(status: os.stat_result, others: int) -> bool:
    """Whether a file or folder is this user's, without those permissions for others."""
    return os.name != "posix" or (status.st_uid == os.geteuid() and not status.st_mode & others)


# A child of a fork has the locks of its parent's threads open, and would hold them all its life.
_descriptors: set[int] = set()


def _close_locks() -> None:
    while _descriptors:
        with contextlib.suppress(OSError):
            os.close(_descriptors.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_locks)


if os.name == "nt":  # pragma: no cover

    def _try_lock(descriptor: int) -> bool:
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True

else:

    def _try_lock(descriptor: int) -> bool:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks: nothing to wait for
        return True
