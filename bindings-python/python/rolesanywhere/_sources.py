"""Where certificates, keys and passwords are: in files, in variables, or here.

What a value names, and what an error may repeat of it, is decided by the native module. A value may be a
secret in the wrong place; so exceptions that hold it, as Python's own do, are not chained to ours.
"""

from __future__ import annotations

import os

from ._files import open_file
from ._native import Parameter
from .errors import InvalidInputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    #: A path, or the content itself: PEM, or base64 of PEM or of DER, as ``str``; any of them, or DER, as
    #: ``bytes``.
    Source = Union[str, bytes, bytearray, os.PathLike[str]]
    #: A source, or what a profile or an environment variable says of it.
    AnySource = Union[Source, "Variable"]

#: The longest file that is read, in bytes: a bundle of certificates, or a key in several formats.
MAX_FILE_LENGTH = 1 << 20
#: The longest password that is read, in bytes.
MAX_PASSWORD_LENGTH = 1 << 16


class Variable:
    """Content in an environment variable, read when it is wanted. It has no ``repr`` of its own, as the name
    may be a secret."""

    __slots__ = ("_name", "_parameter")

    def __init__(self, name: str, parameter: Parameter) -> None:
        self._name = name
        self._parameter = parameter

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Variable) and other._name == self._name

    def __hash__(self) -> int:
        return hash((Variable, self._name))

    def state(self) -> object:
        """What changes with the content."""
        return hash(self._value())

    def read(self) -> bytearray:
        """The content.

        Raises:
            InvalidInputError: the variable is unset or empty.
        """
        content = encoded(self._value())
        if not content:
            self._parameter.refuse_unset()
        return content

    def _value(self) -> str:
        try:
            return os.environ.get(self._name, "")
        except ValueError:  # no variable has such a name
            return ""


def configured(value: str, name: str, part: str) -> str | Variable:
    """The source that a profile's key or an environment variable gives: a path or content, or a variable.

    Raises:
        InvalidInputError, UnsupportedError: the value is none that a library takes.
    """
    parameter = Parameter(name, part, in_code=False)
    kind, variable = parameter.source(value)
    if kind == "stream":
        parameter.refuse_stream()
    if variable is not None:
        return Variable(variable, parameter)
    return os.path.expanduser(value) if kind == "path" else value


def path_in(value: AnySource | None, parameter: Parameter) -> str | None:
    """The path that an argument is; ``None`` when it is the content, or neither."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, str):
        return value if parameter.source(value)[0] == "path" else None
    return None


def read_file(path: str, parameter: Parameter) -> bytearray:
    """The content of a file.

    Raises:
        InvalidInputError: it cannot be read, or is too long.
    """
    cause: OSError | None = None
    try:
        content = _read(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        # Python's own would hold the path.
        cause = OSError(error.errno, reason) if error.errno is not None else OSError(reason)
    except ValueError:
        reason = "a path holds no NUL"
    else:
        if len(content) <= MAX_FILE_LENGTH:
            return content
        reason = f"it is longer than {MAX_FILE_LENGTH} bytes"
    # Here, and not in the handler, whose exception would be this one's context.
    try:
        parameter.refuse_unreadable(os.fsdecode(path), _is_there(path), reason)
    except InvalidInputError as refused:
        raise refused from cause


def encoded(text: str) -> bytearray:
    """A text as UTF-8. What is no Unicode becomes bytes that are no UTF-8, for the reader to refuse: Python's
    exception would hold the text."""
    return bytearray(text.encode(errors="surrogatepass"))


def wipe(content: bytearray) -> None:
    """Overwrites what may be a secret."""
    content[:] = bytes(len(content))


def _read(path: str) -> bytearray:
    with open_file(path) as file:
        content = bytearray(min(os.fstat(file.fileno()).st_size, MAX_FILE_LENGTH) + 1)
        length = 0
        while length < len(content):
            count = file.readinto(memoryview(content)[length:])
            if not count:
                break
            length += count
            if length == len(content) and length <= MAX_FILE_LENGTH:
                content.extend(bytes(min(65536, MAX_FILE_LENGTH + 1 - length)))
    del content[length:]
    return content


def _is_there(path: str) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:
        return False
