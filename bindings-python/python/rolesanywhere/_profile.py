"""What the user configured: profile keys, environment variables, ``credential_process`` lines.

Nothing is imported from botocore here; values come in, options of a client come out.
"""

from __future__ import annotations

import os

from ._files import open_file
from ._native import Parameter
from ._sources import MAX_PASSWORD_LENGTH, Variable, configured, read_file
from .errors import InvalidInputError, RolesAnywhereError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypedDict

    from .identity import Password

    class Options(TypedDict, total=False):
        """What a client is made of, as far as it can be configured in text."""

        trust_anchor_arn: str
        profile_arn: str
        role_arn: str
        certificate: str | Variable
        private_key: str | Variable
        certificate_chain: str | Variable
        password: Password
        region: str
        endpoint: str
        fips: bool
        dual_stack: bool
        duration_seconds: int
        role_session_name: str
        arn_placement: str
        #: ``False``, or the path of a CA bundle.
        verify: bool | str
        connect_timeout: float
        read_timeout: float


#: What the keys of a profile begin with, and in capitals after ``AWS_`` the environment variables:
#: ``rolesanywhere_role_arn`` and ``AWS_ROLESANYWHERE_ROLE_ARN``.
PREFIX = "rolesanywhere_"
#: The keys, without the prefix, and the options that they set.
KEYS = {
    "trust_anchor_arn": "trust_anchor_arn",
    "profile_arn": "profile_arn",
    "role_arn": "role_arn",
    "certificate": "certificate",
    "private_key": "private_key",
    "certificate_chain": "certificate_chain",
    "password_file": "password",
    "region": "region",
    "endpoint": "endpoint",
    "session_duration": "duration_seconds",
    "role_session_name": "role_session_name",
}
#: The keys that say where a part of the identity is, and the part.
_PARTS = {
    "certificate": "certificate",
    "private_key": "private key",
    "certificate_chain": "certificate chain",
}
_REQUIRED = ("trust_anchor_arn", "profile_arn", "role_arn", "certificate")
_PROGRAMS = ("aws_signing_helper", "rolesanywhere")
#: Flags of ``credential-process`` with a value, of either program, and the options that they set;
#: ``None`` for what has no meaning here: sessions are kept in memory, not in files.
#: A flag that is in no table (a PKCS#11 library, a TPM, a certificate store) is the program's own.
_FLAGS: dict[str, str | None] = {
    "--arns-in": "arn_placement",
    "--ca-bundle": "verify",
    "--cache-dir": None,
    "--certificate": "certificate",
    "--connect-timeout": "connect_timeout",
    "--endpoint": "endpoint",
    "--intermediates": "certificate_chain",
    "--password-env": "password",
    "--password-file": "password",
    "--pkcs8-password": "password",
    "--private-key": "private_key",
    "--profile-arn": "profile_arn",
    "--region": "region",
    "--request-timeout": "read_timeout",
    "--role-arn": "role_arn",
    "--role-session-name": "role_session_name",
    "--session-duration": "duration_seconds",
    "--trust-anchor-arn": "trust_anchor_arn",
}
_SWITCHES = {
    "--debug": None,
    "--no-cache": None,
    "--no-verify-ssl": "verify",
    "--use-dualstack-endpoint": "dual_stack",
    "--use-fips-endpoint": "fips",
    "--verbose": None,
    "--with-proxy": None,
}

#: What a switch may be set to: what Go's ``strconv.ParseBool`` reads, as the AWS helper does.
_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}


def from_environment(environ: Mapping[str, str]) -> Options | None:
    """The options that ``AWS_ROLESANYWHERE_*`` variables set; ``None`` when there is no such variable.

    Raises:
        InvalidInputError: some are set and others are missing, or one is malformed.
    """

    def variable(key: str) -> str:
        return f"AWS_{PREFIX}{key}".upper()

    values = {key: environ[variable(key)] for key in KEYS if environ.get(variable(key))}
    if not any(key in values for key in _REQUIRED):
        return None
    options = _options(values, variable, "the environment")
    password = variable("password")
    if environ.get(password):
        options["password"] = lambda: os.environ.get(password, "")
    return options


def from_profile(profile: Mapping[str, Any], name: str) -> Options | None:
    """The options that the ``rolesanywhere_*`` keys of a profile set; ``None`` when it has none.

    Raises:
        InvalidInputError: some are set and others are missing, or one is malformed.
    """

    def key_of(key: str) -> str:
        return PREFIX + key

    values = {key: str(profile[key_of(key)]) for key in KEYS if profile.get(key_of(key))}
    if not values:
        return None
    return _options(values, key_of, f"the profile `{name}`")


def from_credential_process(arguments: Sequence[str]) -> Options | None:
    """The options of a ``credential_process`` line, split into its words; ``None`` when the line is
    another program's, or wants something that only its program does (PKCS#11, a TPM, a certificate
    store, an SSH agent): then the program is run as ever."""
    program = os.path.basename(arguments[0].replace("\\", "/")) if arguments else ""
    if _without_exe(program.lower()) not in _PROGRAMS:
        return None
    if len(arguments) < 2 or arguments[1] != "credential-process":
        return None
    values: dict[str, Any] = {"duration_seconds": "3600"}  # the default of both programs
    words = iter(arguments[2:])
    for word in words:
        flag, equals, value = word.partition("=")
        if flag in _SWITCHES:
            option, on = _SWITCHES[flag], _BOOLEANS.get(value if equals else "true")
            if on is None:
                return None  # the program will say what is wrong
            if option == "verify" and on:
                values["verify"] = False
            elif option is not None and option != "verify":
                values[option] = on
        elif flag in _FLAGS:
            text = value if equals else next(words, None)
            if text is None:
                return None
            option = _FLAGS[flag]
            if not text or option is None:
                continue
            values[option] = _password(flag, text) if option == "password" else text
            if values[option] is None:
                return None
        else:
            return None
    if any(not values.get(key) for key in _REQUIRED):
        return None
    places = (values["certificate"], values.get("private_key", ""))
    elsewhere = ("pkcs11:", "handle:", "ssh-agent:")
    if any(place.startswith(elsewhere) for place in places) or any(map(_is_tpm_key, places)):
        return None
    for key, part in _PARTS.items():
        if key in values:
            source = _source_of_line(values[key], key, part)
            if source is None:
                return None
            values[key] = source
    try:
        values["duration_seconds"] = int(values["duration_seconds"])
        for key in ("connect_timeout", "read_timeout"):
            if key in values:
                values[key] = float(values[key])
    except ValueError:
        return None  # the program will say what is wrong
    options: Options = values  # type: ignore[assignment]
    return options


def endpoint_from_environment(environ: Mapping[str, str]) -> str | None:
    """The endpoint that the variables of all AWS SDKs name for this service, or for all."""
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    service = environ.get("AWS_ENDPOINT_URL_ROLESANYWHERE")
    return service or environ.get("AWS_ENDPOINT_URL") or None


def password_from(value: str, name: str) -> Callable[[], bytes]:
    """A password that is read when it is wanted: from a file, up to its final newline, or from the variable that
    ``env:NAME`` names. ``name`` is that of the setting.

    Raises:
        InvalidInputError, UnsupportedError: the value is none that a library takes.
    """
    source = configured(value, name, "password")
    parameter = Parameter(name, "password", in_code=False)

    def read() -> bytes:
        if isinstance(source, Variable):
            return bytes(source.read())
        return bytes(read_file(source, parameter)[:MAX_PASSWORD_LENGTH].rstrip(b"\r\n"))

    return read


def _password(flag: str, value: str) -> Password | None:
    """The password of a flag; ``None`` when its place is one that only the program of the line reads."""
    if flag == "--password-env":
        return lambda: bytes(Variable(value, Parameter(flag, "password", in_code=False)).read())
    if flag == "--password-file":
        try:
            return password_from(value, flag)
        except RolesAnywhereError:
            return None
    return value


def _source_of_line(value: str, key: str, part: str) -> str | Variable | None:
    """What a flag of a line names; ``None`` for what its program reads, or refuses: a descriptor that it is given,
    content on a command line."""
    parameter = Parameter(key, part, in_code=False)
    try:
        kind, variable = parameter.source(value)
    except RolesAnywhereError:
        return None
    if variable is not None:
        return Variable(variable, parameter)
    return value if kind == "path" else None


def _options(values: Mapping[str, str], name: Callable[[str], str], where: str) -> Options:
    missing = [name(key) for key in _REQUIRED if key not in values]
    if missing:
        raise InvalidInputError(f"{where} has no `{'`, `'.join(missing)}`: set it")
    options: dict[str, Any] = {KEYS[key]: value for key, value in values.items()}
    for key, part in _PARTS.items():
        if key in options:
            options[key] = configured(options[key], name(key), part)
    if "password_file" in values:
        options["password"] = password_from(values["password_file"], name("password_file"))
    if "session_duration" in values:
        try:
            options["duration_seconds"] = int(values["session_duration"])
        except ValueError:
            raise InvalidInputError(
                f"`{name('session_duration')}` of {where} is `{values['session_duration']}`: "
                "write a number of seconds"
            ) from None
    made: Options = options  # type: ignore[assignment]
    return made


def _is_tpm_key(path: str) -> bool:
    try:
        with open_file(path) as file:
            return b"-----BEGIN TSS2 PRIVATE KEY-----" in file.read(65536)
    except (OSError, ValueError):
        return False


def _without_exe(program: str) -> str:
    return program[:-4] if program.endswith(".exe") else program
