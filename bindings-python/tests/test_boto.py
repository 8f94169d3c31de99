"""boto3 and botocore: real clients, S3 against moto's server, STS against the emulator."""

import shutil
import subprocess
import sys
import textwrap

import boto3
import botocore.session
import pytest
import rolesanywhere
from rolesanywhere import boto
from support import ACCOUNT, ARNS, PROFILE, REGION, ROLE, TRUST_ANCHOR, server


@pytest.fixture(scope="session")
def moto():
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer("127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def config_file(tmp_path, monkeypatch):
    path = tmp_path / "config"

    def write(text):
        path.write_text(textwrap.dedent(text))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(path))

    return write


@pytest.fixture
def installed():
    rolesanywhere.install()
    yield
    rolesanywhere.uninstall()


def identity_of(session, emulator):
    return session.client("sts", endpoint_url=emulator.endpoint).get_caller_identity()


def test_the_session_works(emulator, options, moto):
    session = rolesanywhere.boto3_session(**options)
    identity = identity_of(session, emulator)
    assert identity["Account"] == ACCOUNT
    assert identity["Arn"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/app/")
    assert session.region_name == REGION
    s3 = session.client("s3", endpoint_url=moto)
    s3.create_bucket(
        Bucket="things", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    s3.put_object(Bucket="things", Key="a/b c", Body=b"content")
    assert s3.get_object(Bucket="things", Key="a/b c")["Body"].read() == b"content"
    assert [bucket.name for bucket in session.resource("s3", endpoint_url=moto).buckets.all()]
    credentials = session.get_credentials()
    assert credentials.method == "roles-anywhere"
    assert credentials.account_id == ACCOUNT
    frozen = credentials.get_frozen_credentials()
    assert frozen.access_key == credentials.access_key
    assert frozen.secret_key == credentials.secret_key
    assert frozen.token == credentials.token
    assert frozen.account_id == ACCOUNT
    assert emulator.sessions() == 1


def test_a_region_of_the_users_own(options, config_file):
    assert rolesanywhere.boto3_session(**options, region_name="us-east-1").region_name == "us-east-1"
    config_file("[default]\nregion = ap-south-1\n")
    assert rolesanywhere.boto3_session(**options).region_name == "ap-south-1"


def test_renewal_over_simulated_hours(emulator, options, botocore_clock):
    session = rolesanywhere.boto3_session(**options, duration_seconds=3600)
    sts = session.client("sts", endpoint_url=emulator.endpoint)
    for _ in range(24):
        assert sts.get_caller_identity()["Account"] == ACCOUNT
        emulator.advance(600)
    assert 240 / 50 <= emulator.sessions() <= 240 / 40 + 1


def test_a_short_session_is_not_renewed_at_every_use(emulator, options):
    session = rolesanywhere.boto3_session(**options, duration_seconds=900)
    credentials = session.get_credentials()
    for _ in range(20):
        credentials.get_frozen_credentials()
        assert not credentials.refresh_needed()
    assert emulator.sessions() == 1
    assert credentials.refresh_needed(refresh_in=901)
    assert not credentials.refresh_needed(refresh_in=800)


def test_clients_share_one_session(emulator, options):
    session = rolesanywhere.boto3_session(**options)
    for _ in range(3):
        identity_of(session, emulator)
        identity_of(boto3.session.Session(botocore_session=session._session), emulator)
    assert emulator.sessions() == 1


def test_proxies_ca_bundle_and_user_agent_are_botocores(files, monkeypatch, new_emulator, tmp_path):
    with server(lambda *_: (403, {}, b"{}")) as (proxy, requests):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        session = rolesanywhere.boto3_session(
            **ARNS, **files, endpoint="http://nowhere.localhost:1234"
        )
        with pytest.raises(rolesanywhere.AccessDeniedError):
            session.get_credentials().get_frozen_credentials()
        path, headers, _ = requests[0]
        assert path.startswith("http://nowhere.localhost:1234/sessions?")
        assert " Botocore/" in headers["user-agent"]
        assert headers["user-agent"].endswith(" rolesanywhere")
        monkeypatch.delenv("HTTP_PROXY")
    emulator = new_emulator("tls", tls=True)
    bundle = tmp_path / "ca-bundle.pem"
    bundle.write_text(emulator.ca_pem)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    session = rolesanywhere.boto3_session(**ARNS, **files, endpoint=emulator.endpoint)
    assert identity_of(session, emulator)["Account"] == ACCOUNT
    monkeypatch.delenv("AWS_CA_BUNDLE")
    session = rolesanywhere.boto3_session(**ARNS, **files, endpoint=emulator.endpoint, max_attempts=1)
    with pytest.raises(rolesanywhere.TransportFailedError):
        session.get_credentials().get_frozen_credentials()


def test_endpoints_of_the_environment(emulator, options, monkeypatch):
    del options["endpoint"]
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", emulator.endpoint)
    session = rolesanywhere.boto3_session(**options)
    assert session.get_credentials().get_frozen_credentials().access_key
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    session = rolesanywhere.botocore_session(**options)
    provider = session.get_component("credential_provider").providers[0]
    assert provider._client.endpoint == f"https://rolesanywhere.{REGION}.amazonaws.com"
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    session = rolesanywhere.botocore_session(**options)
    provider = session.get_component("credential_provider").providers[0]
    assert provider._client.endpoint == f"https://rolesanywhere-fips.{REGION}.amazonaws.com"


def profile_keys(files, emulator):
    return (
        f"rolesanywhere_trust_anchor_arn = {TRUST_ANCHOR}\n"
        f"rolesanywhere_profile_arn = {PROFILE}\n"
        f"rolesanywhere_role_arn = {ROLE}\n"
        f"rolesanywhere_certificate = {files['certificate']}\n"
        f"rolesanywhere_private_key = {files['private_key']}\n"
        f"rolesanywhere_endpoint = {emulator.endpoint}\n"
        "rolesanywhere_role_session_name = from-profile\n"
        "rolesanywhere_session_duration = 1800\n"
    )


def test_install_reads_profiles(emulator, files, config_file, installed, monkeypatch):
    config_file(f"[profile app]\n{profile_keys(files, emulator)}[profile plain]\nregion = x\n")
    session = boto3.session.Session(profile_name="app", region_name=REGION)
    assert identity_of(session, emulator)["Arn"].endswith("/from-profile")
    monkeypatch.setenv("AWS_PROFILE", "app")
    assert identity_of(boto3.session.Session(region_name=REGION), emulator)
    # Sessions that are configured alike share one session of the service's.
    assert emulator.sessions() == 1
    monkeypatch.setenv("AWS_PROFILE", "plain")
    assert boto3.session.Session().get_credentials() is None


def test_install_reads_the_users_own_files(emulator, files, installed, monkeypatch, tmp_path):
    """`~/.aws/config` and `~/.aws/credentials`, where no variable names another file."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name)
    (tmp_path / ".aws").mkdir()
    keys = profile_keys(files, emulator).replace(str(tmp_path), "~")
    assert "= ~/client.pem" in keys and "= ~/client.key" in keys
    (tmp_path / ".aws" / "config").write_text(f"[default]\nregion = {REGION}\n{keys}")
    assert identity_of(boto3.session.Session(), emulator)["Arn"].endswith("/from-profile")
    # The keys of the profile come before a line of the same profile.
    (tmp_path / ".aws" / "config").write_text(
        f"[default]\nregion = {REGION}\ncredential_process = false\n{keys}"
    )
    assert identity_of(boto3.session.Session(), emulator)["Arn"].endswith("/from-profile")
    # Static keys of the same profile come first, as botocore's chain has it.
    (tmp_path / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = x\n"
    )
    assert boto3.session.Session().get_credentials().access_key == "AKIAFILE"


def test_no_program_is_started_for_a_line_that_is_served(
    emulator, files, config_file, installed, monkeypatch
):
    import subprocess as real

    def refuse(*arguments, **options):
        raise AssertionError(f"a program was started: {arguments}")

    config_file(f"[profile app]\n{credential_process(files, emulator)}")
    session = boto3.session.Session(profile_name="app", region_name=REGION)
    with monkeypatch.context() as patch:
        patch.setattr(real, "Popen", refuse)
        assert identity_of(session, emulator)["Account"] == ACCOUNT


def test_install_reads_the_environment(emulator, files, installed, monkeypatch, tmp_path):
    for name, value in {
        "TRUST_ANCHOR_ARN": TRUST_ANCHOR,
        "PROFILE_ARN": PROFILE,
        "ROLE_ARN": ROLE,
        "CERTIFICATE": files["certificate"],
        "PRIVATE_KEY": files["private_key"],
        "ENDPOINT": emulator.endpoint,
    }.items():
        monkeypatch.setenv(f"AWS_ROLESANYWHERE_{name}", value)
    assert identity_of(boto3.session.Session(region_name=REGION), emulator)
    # Before the files of static keys, after static keys in the environment.
    static = tmp_path / "static"
    static.write_text("[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(static))
    assert boto3.session.Session().get_credentials().method == "roles-anywhere"
    assert boto3.session.Session(profile_name="default").get_credentials().access_key == "AKIAFILE"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert boto3.session.Session().get_credentials().access_key == "AKIAENV"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_ROLESANYWHERE_CERTIFICATE")
    with pytest.raises(rolesanywhere.InvalidInputError, match="AWS_ROLESANYWHERE_CERTIFICATE"):
        boto3.session.Session().get_credentials()


def credential_process(files, emulator, program="aws_signing_helper", extra=""):
    return (
        f"credential_process = {program} credential-process --certificate {files['certificate']} "
        f"--private-key={files['private_key']} --trust-anchor-arn {TRUST_ANCHOR} "
        f"--profile-arn {PROFILE} --role-arn {ROLE} --endpoint {emulator.endpoint} {extra}\n"
    )


@pytest.mark.parametrize(
    "program", ["aws_signing_helper", "/opt/bin/aws_signing_helper", "rolesanywhere"]
)
def test_a_credential_process_line_is_served_in_process(
    emulator, files, config_file, installed, program
):
    # None of these programs is on this machine: a subprocess would fail.
    assert shutil.which("aws_signing_helper") is None
    extra = "--role-session-name from-line --session-duration 900 --debug --with-proxy=false"
    extra += " --no-cache --cache-dir /nonexistent --cache-dir=/nonexistent --no-cache=false"
    config_file(f"[profile app]\n{credential_process(files, emulator, program, extra)}")
    session = boto3.session.Session(profile_name="app", region_name=REGION)
    assert session.get_credentials().method == "roles-anywhere"
    assert identity_of(session, emulator)["Arn"].endswith("/from-line")


def test_lines_that_only_their_program_can_serve_run_it(
    emulator, files, config_file, installed, tmp_path
):
    program = tmp_path / "bin" / "aws_signing_helper"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nprint('''{{\"Version\": 1, \"AccessKeyId\": \"ASIASUBPROCESS\", "
        "\"SecretAccessKey\": \"x\", \"SessionToken\": \"y\"}''')\n"
    )
    program.chmod(0o755)
    tpm = tmp_path / "tpm.pem"
    tpm.write_text("-----BEGIN TSS2 PRIVATE KEY-----\nAAAA\n-----END TSS2 PRIVATE KEY-----\n")
    for line in (
        credential_process(files, emulator, program, "--pkcs11-lib /usr/lib/p.so"),
        credential_process({**files, "private_key": "pkcs11:object=key"}, emulator, program),
        credential_process({**files, "private_key": "ssh-agent:"}, emulator, program),
        credential_process({**files, "private_key": str(tpm)}, emulator, program),
        credential_process({**files, "certificate": str(tpm)}, emulator, program),
        credential_process(files, emulator, program, "--cert-selector Key=x509Subject"),
        # No value that the program takes: it says so, and nothing is switched on or off meanwhile.
        credential_process(files, emulator, program, "--no-verify-ssl=no"),
        credential_process(files, emulator, program, "--use-fips-endpoint=off"),
        credential_process(files, emulator, program, "--debug="),
        f"credential_process = {program} serve --port 1\n",
    ):
        config_file(f"[profile app]\n{line}")
        session = boto3.session.Session(profile_name="app")
        assert session.get_credentials().access_key == "ASIASUBPROCESS", line
    assert emulator.calls() == 0


def test_other_lines_are_left_alone(config_file, installed):
    config_file(
        "[profile app]\ncredential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"ASIAECHO\", "
        '"SecretAccessKey": "x"}\'\n'
    )
    assert boto3.session.Session(profile_name="app").get_credentials().access_key == "ASIAECHO"


def test_a_source_profile_is_served(emulator, files, config_file, installed, moto):
    config_file(
        f"[profile ra]\n{profile_keys(files, emulator)}"
        "[profile chained]\nsource_profile = ra\n"
        f"role_arn = arn:aws:iam::{ACCOUNT}:role/next\nregion = {REGION}\n"
        "services = moto\n[services moto]\nsts =\n  endpoint_url = " + moto + "\n"
    )
    session = boto3.session.Session(profile_name="chained")
    credentials = session.get_credentials().get_frozen_credentials()
    assert credentials.access_key.startswith("ASIA")
    assert emulator.sessions() == 1


def test_install_into_one_session(emulator, files, config_file):
    config_file(f"[profile app]\n{profile_keys(files, emulator)}")
    core = botocore.session.Session(profile="app")
    rolesanywhere.install(core)
    assert core.get_credentials().method == "roles-anywhere"
    session = boto3.session.Session(profile_name="app")
    rolesanywhere.install(session)
    assert session.get_credentials().method == "roles-anywhere"
    assert boto3.session.Session(profile_name="app").get_credentials() is None


def test_install_shares_a_cache(emulator, files, config_file, tmp_path):
    config_file(f"[profile app]\n{profile_keys(files, emulator)}")
    program = (
        "import boto3, rolesanywhere; "
        f"rolesanywhere.install(cache=rolesanywhere.DiskCache({str(tmp_path / 'cache')!r})); "
        "print(boto3.session.Session(profile_name='app').get_credentials().access_key)"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(keys) == 1 and emulator.sessions() == 1


def test_install_is_taken_back():
    before = botocore.credentials.ProfileProviderBuilder.providers
    rolesanywhere.install()
    rolesanywhere.install()
    assert botocore.credentials.ProfileProviderBuilder.providers is not before
    rolesanywhere.uninstall()
    assert botocore.credentials.ProfileProviderBuilder.providers is before


def test_a_broken_profile_says_what_is_missing(config_file, installed):
    config_file("[profile app]\nrolesanywhere_role_arn = x\n")
    with pytest.raises(rolesanywhere.InvalidInputError) as caught:
        boto3.session.Session(profile_name="app").get_credentials()
    assert "`rolesanywhere_trust_anchor_arn`" in str(caught.value)
    assert "`rolesanywhere_role_arn`" not in str(caught.value)
    config_file(
        "[profile app]\nrolesanywhere_trust_anchor_arn=a\nrolesanywhere_profile_arn=b\n"
        "rolesanywhere_role_arn=c\nrolesanywhere_certificate=d\nrolesanywhere_session_duration=1h\n"
    )
    with pytest.raises(rolesanywhere.InvalidInputError, match="`1h`"):
        boto3.session.Session(profile_name="app").get_credentials()


def test_passwords_of_profiles_come_from_files(
    emulator, authority, files, config_file, installed, tmp_path
):
    from support import key_pem, new_key

    key = new_key("p256")
    certificate, _ = authority.issue(key=key)
    (tmp_path / "client.pem").write_bytes(certificate)
    (tmp_path / "client.key").write_bytes(key_pem(key, b"open sesame"))
    password = tmp_path / "password"
    password.write_text("open sesame\n")
    config_file(
        f"[profile app]\n{profile_keys(files, emulator)}rolesanywhere_password_file = {password}\n"
        f"[profile line]\n{credential_process(files, emulator, extra=f'--password-file {password}')}"
    )
    for name in ("app", "line"):
        session = boto3.session.Session(profile_name=name, region_name=REGION)
        assert identity_of(session, emulator)


def test_the_chain_before_and_after(installed):
    session = botocore.session.Session()
    methods = [
        provider.METHOD for provider in session.get_component("credential_provider").providers
    ]
    assert methods.count("roles-anywhere") == 2
    first, second = (i for i, method in enumerate(methods) if method == "roles-anywhere")
    assert methods.index("env") < first < methods.index("shared-credentials-file")
    assert methods[second + 1] == "custom-process"
    assert boto.METHOD == "roles-anywhere"
