"""Keys and passwords in wrong places are taken where they can be, and never repeated: no exception, none of its
causes and contexts, no `repr` and no log has eight bytes in a row of one."""

import base64
import io
import logging
import pathlib
import random
import string
import traceback

import botocore.session
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from rolesanywhere import Client, Identity, RolesAnywhereError, _profile, errors
from rolesanywhere.iam_rolesanywhere_session import IAMRolesAnywhereSession, IAMRolesAnywhereSigner
from support import ARNS, key_pem, new_key


def forms(pem, der):
    return {
        "pem": pem.decode(),
        "base64 of pem": base64.b64encode(pem).decode(),
        "base64 of der": base64.b64encode(der).decode(),
        "wrapped base64": base64.encodebytes(der).decode(),
    }


def certificate_forms(pem):
    loaded = x509.load_pem_x509_certificate(pem)
    return forms(pem, loaded.public_bytes(serialization.Encoding.DER))


def key_forms(pem):
    key = serialization.load_pem_private_key(pem, None)
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return forms(pem, der)


@pytest.fixture
def pair(authority):
    return authority.issue()


def test_content_is_taken_as_text_and_as_bytes(pair):
    certificates, keys = certificate_forms(pair[0]), key_forms(pair[1])
    for form in certificates:
        certificate, key = certificates[form], keys[form]
        assert Identity(certificate, key).key.algorithm == "EC P-256", form
        assert Identity(certificate.encode(), key.encode()).key.algorithm == "EC P-256", form
        assert Identity(bytearray(certificate.encode()), key).key.algorithm == "EC P-256", form


def arns(prefix):
    return {
        f"{prefix}trust_anchor_arn": ARNS["trust_anchor_arn"],
        f"{prefix}profile_arn": ARNS["profile_arn"],
        f"{prefix}role_arn": ARNS["role_arn"],
    }


def identity_of(options):
    return Identity(
        options["certificate"], options["private_key"], password=options.get("password")
    )


@pytest.mark.parametrize("form", ["pem", "base64 of pem", "base64 of der"])
def test_profiles_and_variables_name_variables_or_hold_content(form, pair, monkeypatch):
    certificate, key = certificate_forms(pair[0])[form], key_forms(pair[1])[form]
    monkeypatch.setenv("JOB_CERTIFICATE", certificate)
    monkeypatch.setenv("JOB_KEY", key)
    named = {"certificate": "env:JOB_CERTIFICATE", "private_key": "env:JOB_KEY"}
    content = {"certificate": certificate, "private_key": key}
    for values in (named, content):
        profile = {f"rolesanywhere_{name}": value for name, value in values.items()}
        options = _profile.from_profile({**arns("rolesanywhere_"), **profile}, "p")
        assert identity_of(options).key.algorithm == "EC P-256"
        variables = {f"AWS_{name}".upper(): value for name, value in profile.items()}
        given = {name.upper(): value for name, value in arns("aws_rolesanywhere_").items()}
        options = _profile.from_environment({**given, **variables})
        assert identity_of(options).key.algorithm == "EC P-256"
    line = ["rolesanywhere", "credential-process", "--certificate", "env:JOB_CERTIFICATE"]
    line += ["--private-key=env:JOB_KEY"]
    for name, value in arns("--").items():
        line += [name.replace("_", "-"), value]
    assert identity_of(_profile.from_credential_process(line)).key.algorithm == "EC P-256"
    # What the program alone reads or refuses is left to it.
    for value in ("fd:3", "-", key):
        assert _profile.from_credential_process([*line, "--private-key", value]) is None
    assert _profile.from_credential_process([*line, "--password-file", "fd:3"]) is None


def test_a_password_comes_from_a_variable(authority, monkeypatch, tmp_path):
    key = new_key("p256")
    certificate, _ = authority.issue(key=key)
    monkeypatch.setenv("JOB_CERTIFICATE", certificate.decode())
    monkeypatch.setenv("JOB_KEY", key_pem(key, b"hunter2hunter2").decode())
    monkeypatch.setenv("JOB_PASSWORD", "hunter2hunter2")
    profile = {
        **arns("rolesanywhere_"),
        "rolesanywhere_certificate": "env:JOB_CERTIFICATE",
        "rolesanywhere_private_key": "env:JOB_KEY",
        "rolesanywhere_password_file": "env:JOB_PASSWORD",
    }
    assert identity_of(_profile.from_profile(profile, "p")).key.algorithm == "EC P-256"
    monkeypatch.delenv("JOB_PASSWORD")
    with pytest.raises(errors.InvalidInputError, match="`?rolesanywhere_password_file`? names is unset"):
        identity_of(_profile.from_profile(profile, "p"))


def test_a_variable_that_changes_is_read_again(authority, emulator, monkeypatch):
    def issued(name):
        certificate, key = authority.issue(name)
        monkeypatch.setenv("JOB_IDENTITY", (certificate + key).decode())

    issued("first")
    profile = {**arns("rolesanywhere_"), "rolesanywhere_certificate": "env:JOB_IDENTITY"}
    options = _profile.from_profile(profile, "p")
    client = Client(**options, endpoint=emulator.endpoint, clock=emulator.clock)
    identity = client._life.identity
    assert "CN=first" in repr(identity())
    assert identity() is identity()
    issued("second")
    assert "CN=second" in repr(identity())


def test_mistakes_name_the_parameter(pair, tmp_path):
    certificate, _ = pair
    with pytest.raises(errors.InvalidInputError, match="value of `private_key` is no path of a file"):
        Identity(certificate, "hunter2hunter2")
    with pytest.raises(errors.InvalidInputError, match="`client.key` cannot be read .*: check `private_key`"):
        Identity(certificate, "client.key")
    with pytest.raises(errors.InvalidInputError, match="it is a directory, not a file"):
        Identity(certificate, str(tmp_path))
    with pytest.raises(errors.InvalidInputError, match="a part of the identity is int"):
        Identity(certificate, 12345)
    with pytest.raises(errors.InvalidInputError, match="cannot be read"):
        Identity(certificate, pathlib.Path("a\0b"))
    for value, error in (("fd:3", errors.UnsupportedError), ("-", errors.UnsupportedError)):
        profile = {
            **arns("rolesanywhere_"),
            "rolesanywhere_certificate": "client.pem",
            "rolesanywhere_private_key": value,
        }
        with pytest.raises(error, match="rolesanywhere_private_key names standard input"):
            _profile.from_profile(profile, "p")


# ---- nothing is repeated


def secrets_of(pem):
    """Keys as people have them, damaged too, and passwords."""
    text = pem.decode()
    lines = text.splitlines()
    der = base64.b64decode("".join(lines[1:-1]))
    chance = random.Random(20261127)  # a seed, for a failure that can be seen again
    alphabet = string.ascii_letters + string.digits + string.punctuation
    passwords = ["".join(chance.choices(alphabet, k=chance.randint(8, 40))) for _ in range(40)]
    slashes = ["/" + "".join(chance.choices(alphabet, k=20)) for _ in range(5)]
    return [
        *key_forms(pem).values(),
        text.replace("-", "", 1),
        text.replace("\n", " "),
        text.replace("\n", "\\n"),
        text[: len(text) // 2],
        lines[1],
        "".join(lines[1:-1])[:-8],
        der.hex(),
        text + "\0",
        "hunter2hunter2\ud800",
        "correct horse battery staple",
        *passwords,
        *slashes,
    ]


def told(error):
    """All that an exception tells: its chain, in every way of printing it."""
    seen, waiting = [], [error]
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        waiting += [one.__cause__, one.__context__]
    texts = []
    for one in seen:
        texts += [str(one), repr(one), repr(one.args), repr(vars(one))]
        texts += [str(getattr(one, name, "")) for name in ("filename", "object", "doc", "message")]
        texts.append("".join(traceback.TracebackException.from_exception(one, lookup_lines=False).format_exception_only()))
    return "\n".join(texts)


def gives_away(text, secret):
    """The part of a secret, eight characters or more, that stands in a text; labels of PEM are none."""
    for at in range(len(secret) - 7):
        part = secret[at : at + 8]
        if part in text and not all(c.isupper() or c in "- \n" for c in part):
            return part
    return None


def test_nothing_repeats_a_secret(pair, authority, monkeypatch):
    certificate, key = pair
    encrypted_key = new_key("p256")
    encrypted_certificate, _ = authority.issue(key=encrypted_key)
    encrypted = key_pem(encrypted_key, b"another password")
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logger = logging.getLogger("rolesanywhere")
    monkeypatch.setattr(logger, "level", logging.DEBUG)
    logger.addHandler(handler)
    rest = {"certificate": "client.pem"}

    def profile(**values):
        keys = {f"rolesanywhere_{name}": value for name, value in {**rest, **values}.items()}
        return identity_of({"private_key": key, **_profile.from_profile({**arns("rolesanywhere_"), **keys}, "p")})

    def environment(**values):
        keys = {f"aws_rolesanywhere_{name}".upper(): value for name, value in {**rest, **values}.items()}
        given = {name.upper(): value for name, value in arns("aws_rolesanywhere_").items()}
        return identity_of({"private_key": key, **_profile.from_environment({**given, **keys})})

    def line(*words):
        given = ["rolesanywhere", "credential-process", *words]
        for name, value in arns("--").items():
            given += [name.replace("_", "-"), value]
        options = _profile.from_credential_process(given)
        # The program's, which has a test of its own.
        return None if options is None else identity_of({"private_key": key, **options})

    def opened(**options):
        return Identity(encrypted_certificate, encrypted, **options)

    def with_password(option, value):
        monkeypatch.setenv("JOB_CERTIFICATE", encrypted_certificate.decode())
        monkeypatch.setenv("JOB_KEY", encrypted.decode())
        return line("--certificate=env:JOB_CERTIFICATE", "--private-key=env:JOB_KEY", f"{option}={value}")

    def botocore_profile(value):
        session = botocore.session.Session()
        session.full_config["profiles"] = {
            "p": {**arns("rolesanywhere_"), "rolesanywhere_certificate": value, "region": "eu-west-1"}
        }
        from rolesanywhere.boto import RolesAnywhereProvider

        return RolesAnywhereProvider(session, "p").load()

    attempts = {
        "certificate": lambda value: Identity(value, key),
        "certificate alone": lambda value: Identity(value),
        "private_key": lambda value: Identity(certificate, value),
        "private_key as bytes": lambda value: Identity(certificate, value.encode(errors="replace")),
        "private_key as a path": lambda value: Identity(certificate, pathlib.Path(value)),
        "certificate_chain": lambda value: Identity(certificate, key, certificate_chain=value),
        "password": lambda value: opened(password=value),
        "password as bytes": lambda value: opened(password=value.encode(errors="replace")),
        "password as a function": lambda value: opened(password=lambda: value),
        "client": lambda value: Client(**ARNS, certificate=certificate, private_key=value),
        "session": lambda value: IAMRolesAnywhereSession(**ARNS, certificate=certificate, private_key=value),
        "signer": lambda value: IAMRolesAnywhereSigner(certificate, value),
        "profile's certificate": lambda value: profile(certificate=value),
        "profile's private_key": lambda value: profile(certificate=certificate.decode(), private_key=value),
        "profile's variable": lambda value: profile(certificate=certificate.decode(), private_key=f"env:{value}"),
        "profile's descriptor": lambda value: profile(certificate=certificate.decode(), private_key=f"fd:{value}"),
        "profile's password_file": lambda value: profile(
            certificate=encrypted_certificate.decode(), private_key=encrypted.decode(), password_file=value
        ),
        "profile by botocore": botocore_profile,
        "environment's private_key": lambda value: environment(certificate=certificate.decode(), private_key=value),
        "environment's password_file": lambda value: environment(
            certificate=encrypted_certificate.decode(), private_key=encrypted.decode(), password_file=value
        ),
        "line's private key": lambda value: line("--certificate", "client.pem", "--private-key", value),
        "line's password-file": lambda value: with_password("--password-file", value),
        "line's password-env": lambda value: with_password("--password-env", value),
        "line's password": lambda value: with_password("--pkcs8-password", value),
    }
    refused = 0
    try:
        for name, attempt in attempts.items():
            for secret in secrets_of(key):
                made = None
                try:
                    made = attempt(secret)
                    text = repr(made)
                except RolesAnywhereError as error:
                    refused += 1
                    text = told(error)
                part = gives_away(text, secret)
                assert part is None, f"{name}: {part!r} of {secret!r} in {text}"
                part = gives_away(log.getvalue(), secret)
                assert part is None, f"{name}: {part!r} of {secret!r} in the log"
                log.seek(0)
                log.truncate()
    finally:
        logger.removeHandler(handler)
    # Most are refused; keys where a key belongs are taken, and lines may be left to their program.
    assert refused > 10 * len(attempts) * 3, refused
