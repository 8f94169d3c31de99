// Keys and passwords in wrong places: taken from variables and as content, and never repeated. No error, none of its
// causes, no property, no `inspect` and no log has eight characters in a row of one.

import assert from "node:assert/strict";
import { join } from "node:path";
import test, { afterEach } from "node:test";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

import { createSession, fromRolesAnywhere, fromRolesAnywhereProfile, isRolesAnywhereError } from "../js/index.js";
import { forms, givenAway, secrets, told } from "../../bindings-wasm/tests/cases/secrets.js";
import { laboratory } from "./context.js";

const place = await laboratory();
const { arns, file, fixture, init, origin } = place;
const { certificate, privateKey, containers } = fixture.identities["P-256"];

const environment = { ...process.env };
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
});

const ARNS = {
  rolesanywhere_trust_anchor_arn: arns.trustAnchorArn,
  rolesanywhere_profile_arn: arns.profileArn,
  rolesanywhere_role_arn: arns.roleArn,
  rolesanywhere_endpoint: origin,
};
const LINE = `rolesanywhere credential-process --trust-anchor-arn ${arns.trustAnchorArn} --profile-arn ${arns.profileArn} --role-arn ${arns.roleArn} --endpoint ${origin}`;
let count = 0;

/** What a profile's provider gives. */
function profile(keys, more = {}) {
  const lines = Object.entries(keys).map(([key, value]) => `${key} = ${value}`);
  const configFilepath = file(`config-${(count += 1)}`, `[profile p]\nregion = eu-west-1\n${lines.join("\n")}\n`);
  return fromRolesAnywhereProfile({ profile: "p", configFilepath, filepath: join(place.folder, "none"), ...more })();
}

test("content as text and as bytes", async () => {
  const [certificates, keys] = [forms(certificate), forms(privateKey)];
  for (const form of Object.keys(keys)) {
    for (const as of [String, Buffer.from]) {
      const { assumedRoleArn } = await createSession(init({ certificate: as(certificates[form]), privateKey: as(keys[form]) }));
      assert.match(assumedRoleArn, /:assumed-role\/app\//, form);
    }
  }
});

test("profiles name variables, or hold content", async () => {
  const [certificates, keys] = [forms(certificate), forms(privateKey)];
  for (const form of ["pem", "base64 of PEM", "base64 of DER"]) {
    process.env.JOB_CERTIFICATE = certificates[form];
    process.env.JOB_KEY = keys[form];
    const named = { ...ARNS, rolesanywhere_certificate: "env:JOB_CERTIFICATE", rolesanywhere_private_key: "env:JOB_KEY" };
    assert.ok(await profile(named));
    if (form !== "pem") {
      const held = { ...ARNS, rolesanywhere_certificate: certificates[form], rolesanywhere_private_key: keys[form] };
      assert.ok(await profile(held));
    }
    assert.ok(await profile({ credential_process: `${LINE} --certificate env:JOB_CERTIFICATE --private-key=env:JOB_KEY` }));
  }
  process.env.JOB_KEY = containers.encrypted;
  process.env.JOB_PASSWORD = "secret";
  const encrypted = {
    ...ARNS,
    rolesanywhere_certificate: "env:JOB_CERTIFICATE",
    rolesanywhere_private_key: "env:JOB_KEY",
    rolesanywhere_password_file: "env:JOB_PASSWORD",
  };
  assert.ok(await profile(encrypted));
  delete process.env.JOB_PASSWORD;
  await assert.rejects(profile(encrypted), /the environment variable that rolesanywhere_password_file names is unset/);
  for (const value of ["-", "fd:3"]) {
    await assert.rejects(profile({ ...encrypted, rolesanywhere_private_key: value }), (error) => isRolesAnywhereError(error, "unsupported"));
    const line = { credential_process: `${LINE} --certificate env:JOB_CERTIFICATE --private-key ${value}` };
    await assert.rejects(profile(line), (error) => error.tryNextLink === true);
  }
});

test("a variable that changes is read at the next renewal", async () => {
  const put = () => {
    const next = place.identity();
    process.env.JOB_IDENTITY = next.certificate + next.privateKey;
    return next;
  };
  put();
  const configFilepath = file("changing", `[profile p]\n${Object.entries({ ...ARNS, rolesanywhere_certificate: "env:JOB_IDENTITY" }).map((pair) => pair.join(" = ")).join("\n")}\n`);
  const provider = fromRolesAnywhereProfile({ profile: "p", configFilepath, filepath: "none" });
  const first = await provider({ forceRefresh: true });
  const before = await place.sessions();
  put();
  const second = await provider({ forceRefresh: true });
  assert.notEqual(first.accessKeyId, second.accessKeyId);
  assert.notEqual(await place.sessions(), before);
});

test("mistakes name the parameter", async () => {
  const fails = (more, code, text) =>
    assert.rejects(createSession(init(more)), (error) => {
      assert.ok(isRolesAnywhereError(error, code), error.stack);
      assert.match(error.message, text);
      return true;
    });
  await fails({ privateKey: "hunter2hunter2" }, "invalid_input", /the value of `privateKey` is no path of a file/);
  await fails({ privateKey: "client.key" }, "invalid_input", /the private key `client\.key` cannot be read \(ENOENT/);
  await fails({ privateKey: new URL("https://example.com/hunter2") }, "invalid_input", /the value of `privateKey`/);
  await fails({ certificateChain: "hunter2hunter2" }, "invalid_input", /the value of `certificateChain`/);
});

test("nothing repeats a secret", async () => {
  const logged = [];
  const log = (...values) => logged.push(values.map((value) => inspect(value, { depth: 10 })).join(" "));
  const logger = { debug: log, info: log, warn: log, error: log };
  const encrypted = { privateKey: containers.encrypted };
  process.env.JOB_CERTIFICATE = certificate;
  process.env.JOB_KEY = containers.encrypted;
  const ofProfile = { ...ARNS, rolesanywhere_certificate: "env:JOB_CERTIFICATE", rolesanywhere_private_key: "env:JOB_KEY" };
  const quoted = (value) => `'${value.replace(/['\n\0]/g, "x")}'`;
  const attempts = {
    certificate: (value) => createSession(init({ logger, certificate: value })),
    "certificate alone": (value) => createSession(init({ logger, certificate: value, privateKey: undefined })),
    privateKey: (value) => createSession(init({ logger, privateKey: value })),
    "privateKey of a provider": (value) => fromRolesAnywhere(init({ logger, privateKey: value }))({}),
    "privateKey as bytes": (value) => createSession(init({ logger, privateKey: Buffer.from(value) })),
    "privateKey as a URL": (value) => createSession(init({ logger, privateKey: pathToFileURL(value) })),
    certificateChain: (value) => createSession(init({ logger, certificateChain: value })),
    password: (value) => createSession(init({ logger, ...encrypted, password: value })),
    "password's function": (value) => createSession(init({ logger, ...encrypted, password: () => value })),
    "profile's private_key": (value) => profile({ ...ofProfile, rolesanywhere_private_key: value }, { logger }),
    "profile's variable": (value) => profile({ ...ofProfile, rolesanywhere_private_key: `env:${value}` }, { logger }),
    "profile's descriptor": (value) => profile({ ...ofProfile, rolesanywhere_private_key: `fd:${value}` }, { logger }),
    "profile's password_file": (value) => profile({ ...ofProfile, rolesanywhere_password_file: value }, { logger }),
    "line's private key": (value) => profile({ credential_process: `${LINE} --certificate env:JOB_CERTIFICATE --private-key ${quoted(value)}` }, { logger }),
    "line's password-env": (value) => profile({ credential_process: `${LINE} --certificate env:JOB_CERTIFICATE --private-key env:JOB_KEY --password-env ${quoted(value)}` }, { logger }),
    "line's password-file": (value) => profile({ credential_process: `${LINE} --certificate env:JOB_CERTIFICATE --private-key env:JOB_KEY --password-file ${quoted(value)}` }, { logger }),
  };
  let refused = 0;
  for (const [name, attempt] of Object.entries(attempts)) {
    for (const secret of secrets(privateKey)) {
      let error;
      try {
        await attempt(secret);
        continue; // a key where a key belongs, in a form that is taken
      } catch (one) {
        error = one;
      }
      refused += 1;
      const text = [told(error), inspect(error, { depth: 10, showHidden: true }), logged.splice(0).join("\n")].join("\n");
      assert.equal(givenAway(text, secret), undefined, `${name}: ${JSON.stringify(secret)} in ${error.message}`);
    }
  }
  assert.ok(refused > Object.keys(attempts).length * 30, String(refused));
});
