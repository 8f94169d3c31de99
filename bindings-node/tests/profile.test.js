// Profiles: our keys, `credential_process` lines, and what is left to others.

import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import test, { afterEach } from "node:test";

import { fromRolesAnywhereProfile, isRolesAnywhereError } from "../js/index.js";
import { wordsOf } from "../js/profile.js";
import { laboratory } from "./context.js";

const place = await laboratory();
const { arns, file, fixture, origin } = place;
const { certificate, privateKey, containers } = fixture.identities["P-256"];
const certificatePath = file("client.pem", certificate);
const keyPath = file("client.key", privateKey);
const encryptedPath = file("encrypted.key", containers.encrypted);

const environment = { ...process.env };
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
});

const KEYS = {
  rolesanywhere_trust_anchor_arn: arns.trustAnchorArn,
  rolesanywhere_profile_arn: arns.profileArn,
  rolesanywhere_role_arn: arns.roleArn,
  rolesanywhere_certificate: certificatePath,
  rolesanywhere_private_key: keyPath,
  rolesanywhere_endpoint: origin,
};

let count = 0;
/** The provider of a profile with these keys. */
function provider(keys, init = {}, section = "profile anywhere") {
  const lines = Object.entries(keys).map(([key, value]) => `${key} = ${value}`);
  const configFilepath = file(`config-${(count += 1)}`, `[default]\nregion = eu-west-1\n\n[${section}]\n# ours\n${lines.join("\n")}\n`);
  return fromRolesAnywhereProfile({ profile: "anywhere", configFilepath, filepath: join(place.folder, "none"), ...init });
}
const works = async (...given) => assert.equal((await provider(...given)()).accountId, fixture.account);
const fails = (given, code, text, next = undefined) =>
  assert.rejects(provider(...given)(), (error) => {
    assert.ok(isRolesAnywhereError(error, code), error.stack);
    assert.match(error.message, text);
    assert.equal(error.tryNextLink, next);
    return true;
  });

test("our keys", async () => {
  await works(KEYS);
  await works({ ...KEYS, rolesanywhere_session_duration: "900", rolesanywhere_region: "eu-west-1" });
  await works({ ...KEYS, rolesanywhere_private_key: encryptedPath, rolesanywhere_password_file: file("password", "secret\r\n") });
  await works({ ...KEYS, rolesanywhere_private_key: encryptedPath }, { password: "secret" });
  await works({ ...KEYS, rolesanywhere_certificate_chain: certificatePath });
  const { rolesanywhere_endpoint: _, ...rest } = KEYS;
  await works(rest, { endpoint: origin });
  process.env.AWS_ENDPOINT_URL_ROLESANYWHERE = origin;
  await works(rest);
  process.env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS = "true";
  const stopped = async () => { throw new Error("not this one"); };
  await fails([rest, { fetch: stopped, maxAttempts: 1 }], "transport_failed", /`https:\/\/rolesanywhere\.eu-west-1\.amazonaws\.com`/);
  process.env.AWS_USE_FIPS_ENDPOINT = "true";
  await fails([rest, { fetch: stopped, maxAttempts: 1 }], "transport_failed", /rolesanywhere-fips\.eu-west-1/);
});

test("a path of ours may begin with `~/`", async () => {
  process.env.HOME = place.folder;
  assert.equal(homedir(), place.folder);
  await works({ ...KEYS, rolesanywhere_certificate: "~/client.pem", rolesanywhere_private_key: "~/client.key" });
  const line = `aws_signing_helper credential-process --certificate ~/client.pem --private-key ~/client.key ${ROLES} --endpoint ${origin}`;
  await works({ credential_process: line });
});

test("the profile is the one that is named, that of the client, that of the environment, or `default`", async () => {
  const ours = Object.entries(KEYS).map(([key, value]) => `${key} = ${value}`).join("\n");
  const named = file("named", `[default]\n${ours}\n[profile other]\nregion = eu-west-1\n`);
  const of = (more, properties) => fromRolesAnywhereProfile({ configFilepath: named, filepath: "none", ...more })(properties);
  delete process.env.AWS_PROFILE;
  assert.ok(await of({}));
  await assert.rejects(of({ profile: "other" }), /the profile `other` has no/);
  await assert.rejects(of({}, { callerClientConfig: { profile: "other" } }), /the profile `other` has no/);
  process.env.AWS_PROFILE = "other";
  await assert.rejects(of({}), /the profile `other` has no/);
  assert.ok(await of({ profile: "default" }));
  process.env.AWS_CONFIG_FILE = named;
  delete process.env.AWS_PROFILE;
  assert.ok(await fromRolesAnywhereProfile()());
});

test("what is incomplete or malformed is said", async () => {
  const { rolesanywhere_role_arn: _, rolesanywhere_certificate: __, ...rest } = KEYS;
  await fails([rest], "invalid_input", /has no `rolesanywhere_role_arn`, `rolesanywhere_certificate`/);
  await fails([{ ...KEYS, rolesanywhere_session_duration: "1h" }], "invalid_input", /`1h`: write a number/);
  const nowhere = { ...KEYS, rolesanywhere_private_key: encryptedPath, rolesanywhere_password_file: "/nowhere" };
  await fails([nowhere], "invalid_input", /the password file cannot be read \(ENOENT.*the value of rolesanywhere_password_file is no path/);
});

// ---- credential_process

const ROLES = `--trust-anchor-arn ${arns.trustAnchorArn} --profile-arn ${arns.profileArn} --role-arn ${arns.roleArn}`;
const line = (more = "", program = "/opt/bin/aws_signing_helper", key = keyPath) => ({
  credential_process: `${program} credential-process --certificate ${certificatePath} --private-key ${key} ${ROLES} --endpoint ${origin} ${more}`,
});

test("lines that call the helper are served in this process", async () => {
  await works(line());
  await works(line("--session-duration 900 --region eu-west-1 --debug"));
  await works(line("--session-duration=900 --no-verify-ssl=false", "rolesanywhere"));
  for (const word of ["0", "f", "F", "FALSE", "False"]) await works(line(`--no-verify-ssl=${word} --with-proxy=${word}`));
  for (const word of ["1", "t", "T", "TRUE", "true", "True"]) await works(line(`--debug=${word}`));
  await works(line("", '"C:\\Program Files\\AWS\\aws_signing_helper.exe"'));
  await works(line("--pkcs8-password 'secret'", "aws_signing_helper", encryptedPath));
  process.env.KEY_PASSWORD = "secret";
  await works(line("--password-env KEY_PASSWORD", "rolesanywhere", encryptedPath));
  await works(line(`--password-file ${file("p", "secret\n")}`, "rolesanywhere", encryptedPath));
  await works(line(`--intermediates ${certificatePath} --use-dualstack-endpoint=false --request-timeout 5 --connect-timeout 1`));
  await works(line("--no-cache --cache-dir /nowhere", "rolesanywhere"));
  await works(line("--with-proxy"), { fetch });
});

test("what its program alone can do is left to others", async () => {
  const left = [
    { region: "eu-west-1" },
    { credential_process: "/opt/bin/other --json" },
    { credential_process: "aws_signing_helper serve --port 9911" },
    line("--with-proxy"),
    line("--cert-selector Key=x509Subject"),
    line("--session-duration soon"),
    line("| tee /tmp/log"),
    line("--role-session-name $USER"),
    line("", "aws_signing_helper", "pkcs11:token=t"),
    line("", "rolesanywhere", "ssh-agent:"),
    line("", "aws_signing_helper", file("tpm.key", "-----BEGIN TSS2 PRIVATE KEY-----\n")),
    line("", "aws_signing_helper", file("tpm-and-more.key", `${privateKey}-----BEGIN TSS2 PRIVATE KEY-----\n`)),
    {
      credential_process: `aws_signing_helper credential-process --endpoint ${origin} ${ROLES} --certificate ${file("tpm.pem", `${certificate}-----BEGIN TSS2 PRIVATE KEY-----\n`)} --private-key ${keyPath}`,
    },
    // Words that Go's `strconv.ParseBool`, which reads the flag in the AWS helper, refuses.
    ...["no", "off", "fALSE", "tRUE", "toString", "", "2"].map((word) => line(`--no-verify-ssl=${word}`)),
    line("--debug=yes"),
    { credential_process: `aws_signing_helper credential-process ${ROLES}` },
  ];
  for (const keys of left) await fails([keys], "invalid_input", /^the profile `anywhere` has no/, true);
  await fails([KEYS, {}, "profile elsewhere"], "invalid_input", /there is no profile `anywhere`/, true);
});

test("the SDK's chain goes on from there", async () => {
  const { chain } = await import("@smithy/core/config");
  const fallback = async () => ({ accessKeyId: "next" });
  assert.equal((await chain(provider({}), fallback)()).accessKeyId, "next");
  assert.notEqual((await chain(provider(KEYS), fallback)()).accessKeyId, "next");
  await assert.rejects(chain(provider({ ...KEYS, rolesanywhere_certificate: "/nowhere" }), fallback)(), /ENOENT/);
});

test("a file that is mended is read again", async () => {
  const configFilepath = file("mended", "[profile anywhere]\n");
  const mended = fromRolesAnywhereProfile({ profile: "anywhere", configFilepath, filepath: "none" });
  await assert.rejects(mended());
  file("mended", `[profile anywhere]\n${Object.entries(KEYS).map(([key, value]) => `${key} = ${value}`).join("\n")}\n`);
  assert.ok((await mended()).accessKeyId);
  assert.equal(mended.memoized, true);
});

test("an empty key is no key, and a file that is a pipe is refused", async () => {
  const { execFileSync } = await import("node:child_process");
  const pipe = join(place.folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const both = file("both.pem", certificate + privateKey);
  const empty = { rolesanywhere_private_key: "", rolesanywhere_region: "", rolesanywhere_password_file: "", rolesanywhere_session_duration: "" };
  assert.ok((await provider({ ...KEYS, ...empty, rolesanywhere_certificate: both })()).accessKeyId);
  await assert.rejects(provider({ ...KEYS, rolesanywhere_role_arn: "" })(), /has no `rolesanywhere_role_arn`/);
  for (const key of ["rolesanywhere_certificate", "rolesanywhere_private_key", "rolesanywhere_certificate_chain"]) {
    await assert.rejects(provider({ ...KEYS, [key]: pipe })(), /it is a pipe, not a file/);
  }
  const encrypted = { ...KEYS, rolesanywhere_private_key: encryptedPath, rolesanywhere_password_file: pipe };
  await assert.rejects(provider(encrypted)(), /it is a pipe, not a file/);
});

test("words as a shell splits them", async () => {
  const { execFileSync } = await import("node:child_process");
  const lines = [
    "a b  c", "'a b' c", '"a b" c', "a'b'c\"d\"", "a\\ b", '"a\\"b"', '"a\\b"', "''", "a ''", '"a\\\\b" c', "--x='1 2'", " lead", "trail ",
    // White space to JavaScript and none to the shell: it belongs to the word.
    ...["\u00a0", "\u2003", "\u2028", "\u3000", "\ufeff", "\v", "\f", "\r"].map((space) => `a${space}b c`), "a\tb",
  ];
  for (const text of lines) {
    const shell = execFileSync("sh", ["-c", `for word in ${text}; do printf '%s\\n' "$word"; done`]).toString();
    assert.deepEqual(wordsOf(text), shell.split("\n").slice(0, -1), text);
  }
  for (const text of ["a 'b", 'a "b', "a $b", "a `b`", "a | b", "a && b", "a > b", "a *", "~someone/x", "a \\", '"$a"', "a\nb"]) {
    assert.equal(wordsOf(text), undefined, text);
  }
});
