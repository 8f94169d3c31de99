"""The adapter for users of iam-rolesanywhere-session, beside that package itself."""

import inspect
import warnings

import boto3
import pytest
import rolesanywhere
from rolesanywhere.iam_rolesanywhere_session import (
    IAMRolesAnywhereError,
    IAMRolesAnywhereSession,
    InvalidSessionDurationError,
)
from support import ACCOUNT, PROFILE, REGION, ROLE, TRUST_ANCHOR

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import iam_rolesanywhere_session as peer


def arguments(files):
    return (PROFILE, ROLE, TRUST_ANCHOR, files["certificate"], files["private_key"])


def test_the_parameters_are_the_same_and_in_order():
    ours = inspect.signature(IAMRolesAnywhereSession).parameters
    theirs = inspect.signature(peer.IAMRolesAnywhereSession).parameters
    assert list(ours) == list(theirs)
    defaults = {
        name: (ours[name].default, theirs[name].default)
        for name in ours
        if ours[name].default != theirs[name].default
    }
    # The peer assumes us-east-1 whatever the ARN says.
    assert defaults == {"region": (None, "us-east-1")}


def test_sessions_and_credentials(emulator, files):
    made = IAMRolesAnywhereSession(*arguments(files), endpoint=emulator.endpoint)
    session = made.get_session(region=REGION)
    assert isinstance(session, boto3.session.Session)
    sts = session.client("sts", endpoint_url=emulator.endpoint)
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    credentials = made.get_refreshable_credentials()
    assert credentials.get_frozen_credentials().access_key
    assert emulator.sessions() == 1
    assert made.region_name == REGION and made.endpoint == emulator.endpoint


def test_a_bare_host_means_https(files):
    made = IAMRolesAnywhereSession(*arguments(files), endpoint="vpce-1.example.com:8443")
    assert made.endpoint == "https://vpce-1.example.com:8443"


def test_tls_as_the_peer_takes_it(new_emulator, files, tmp_path):
    emulator = new_emulator("tls", tls=True)
    host = emulator.endpoint.removeprefix("https://")
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(emulator.ca_pem)
    for verify in (str(bundle), False):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # urllib3 warns of the connection that is not verified
            made = IAMRolesAnywhereSession(*arguments(files), endpoint=host, verify=verify)
            sts = made.get_session().client("sts", endpoint_url=emulator.endpoint)
            assert sts.get_caller_identity()["Account"] == ACCOUNT
    strict = IAMRolesAnywhereSession(*arguments(files), endpoint=host)
    with pytest.raises(rolesanywhere.TransportFailedError):
        strict.get_refreshable_credentials().get_frozen_credentials()


def test_the_peer_gets_credentials_from_the_same_emulator(new_emulator, files, tmp_path, authority):
    """So that a difference between the two is ours to explain."""
    emulator = new_emulator("tls", tls=True)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(emulator.ca_pem)
    made = peer.IAMRolesAnywhereSession(
        *arguments(files),
        region=REGION,
        endpoint=emulator.endpoint.removeprefix("https://"),
        verify=str(bundle),
    )
    assert made.get_refreshable_credentials().get_frozen_credentials().access_key


def test_what_it_refuses(files, authority):
    with pytest.raises(InvalidSessionDurationError):
        IAMRolesAnywhereSession(*arguments(files), session_duration=899)
    with pytest.raises(IAMRolesAnywhereError):
        IAMRolesAnywhereSession(*arguments(files), region="us-east-1")
    _, other = authority.issue()
    with pytest.raises(rolesanywhere.KeyMismatchError):
        IAMRolesAnywhereSession(PROFILE, ROLE, TRUST_ANCHOR, files["certificate"], other)
    with pytest.raises(rolesanywhere.InvalidInputError):
        IAMRolesAnywhereSession(*arguments(files), service_name="other")


def test_the_shortest_duration_is_not_renewed_at_every_use(emulator, files):
    made = IAMRolesAnywhereSession(
        *arguments(files), session_duration=900, endpoint=emulator.endpoint
    )
    session = made.get_session()
    for _ in range(20):
        session.get_credentials().get_frozen_credentials()
    assert emulator.sessions() == 1
