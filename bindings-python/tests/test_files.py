"""Files that are none, and paths that only a shell knows: named, and never waited for."""

import os
import socketserver
import threading

import pytest
import rolesanywhere
from rolesanywhere import Client, Identity, _profile
from support import ARNS


@pytest.fixture
def pipe(tmp_path):
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("place", ["certificate", "private_key", "certificate_chain"])
def test_a_pipe_that_nobody_writes_to_is_refused_at_once(pipe, files, place):
    with pytest.raises(rolesanywhere.InvalidInputError, match="it is a pipe, not a file") as caught:
        Identity(**{**files, place: pipe})
    assert pipe in str(caught.value)
    with pytest.raises(rolesanywhere.InvalidInputError, match="it is a pipe, not a file"):
        Client(**ARNS, **{**files, place: pipe}, endpoint="http://127.0.0.1:1").credentials()


def test_other_files_that_are_read_are_no_pipes_either(pipe, files):
    with pytest.raises(rolesanywhere.InvalidInputError, match="it is a pipe, not a file"):
        _profile.password_from(pipe, "rolesanywhere_password_file")()
    client = Client(
        **ARNS, **files, endpoint="https://127.0.0.1:1", ca_bundle=pipe, max_attempts=1
    )
    with pytest.raises(rolesanywhere.InvalidInputError, match="it is a pipe, not a file"):
        client.credentials()
    # A line whose key is a pipe is judged without waiting.
    line = ["rolesanywhere", "credential-process", "--certificate", pipe]
    for name, value in ARNS.items():
        line += [f"--{name.replace('_', '-')}", value]
    assert _profile.from_credential_process(line) is not None


@pytest.mark.parametrize("path", ["~/client.pem", "~nobody/client.pem"])
def test_a_tilde_is_named_as_the_cause(files, path):
    with pytest.raises(rolesanywhere.InvalidInputError, match="`~` stands for a home") as caught:
        Identity(path, files["private_key"])
    assert path in str(caught.value)


def test_no_folder_is_made_that_is_called_tilde(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(rolesanywhere.InvalidInputError, match="`~` stands for a home"):
        rolesanywhere.DiskCache("~/cache")
    assert not os.path.exists("~")


def test_a_directory_is_named_so(tmp_path, files):
    with pytest.raises(rolesanywhere.InvalidInputError, match="a directory, not a file"):
        Identity(tmp_path, files["private_key"])


def test_a_proxy_that_wants_a_password_says_how_to_name_it(files):
    class Refusing(socketserver.StreamRequestHandler):
        def handle(self):
            while self.rfile.readline().strip():
                pass
            self.wfile.write(
                b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
            )

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{proxy.server_address[1]}"
        for url, told in [
            (f"http://{address}", "wants a user and a password"),
            (f"http://user:hunter2@{address}", "does not accept the user and the password"),
        ]:
            transport = rolesanywhere.HttpTransport(proxy=url)
            client = Client(
                **ARNS, **files, endpoint="https://nowhere.invalid", transport=transport, max_attempts=1
            )
            with pytest.raises(rolesanywhere.TransportFailedError, match=told) as caught:
                client.credentials()
            assert "http://USER:PASSWORD@HOST:PORT" in str(caught.value)
            assert "hunter2" not in str(caught.value)
        proxy.shutdown()


def test_invisible_characters_are_escaped_in_errors(files):
    with pytest.raises(rolesanywhere.InvalidInputError) as caught:
        Client(
            **{**ARNS, "role_arn": "arn:aws:iam::123456789012:user/\u202ex\u200b\x1b[2J"},
            **files,
            endpoint="http://127.0.0.1:1",
        )
    assert "\\u{202e}x\\u{200b}\\u{1b}[2J" in str(caught.value)
    assert not {"\u202e", "\u200b", "\x1b"} & set(str(caught.value))
