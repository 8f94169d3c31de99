// Certificates and keys as Node has them, read again when they change.

import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

import { createSession, fromRolesAnywhere, isRolesAnywhereError } from "../js/index.js";
import { BACKEND, laboratory, openssl } from "./context.js";

const place = await laboratory();
const { fixture, file, init } = place;
const session = async (more, kind) => (await createSession(init(more, kind))).assumedRoleArn;
const fails = (more, code, text = /./, kind) =>
  assert.rejects(createSession(init(more, kind)), (error) => {
    assert.ok(isRolesAnywhereError(error), error.stack);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    return true;
  });

test("paths, URLs and contents of every form", async () => {
  for (const kind of ["RSA-2048", "P-256", "P-384", "P-521", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]) {
    const { certificate, privateKey, containers } = fixture.identities[kind];
    const certificatePath = file(`${kind}.pem`, certificate);
    const keyPath = file(`${kind}.key`, privateKey);
    const forms = [
      { certificate: certificatePath, privateKey: keyPath },
      { certificate: pathToFileURL(certificatePath), privateKey: pathToFileURL(keyPath) },
      { certificate: Buffer.from(certificate), privateKey: keyPath },
      { certificate: certificatePath, privateKey },
      { certificate: file(`${kind}.both`, certificate + privateKey), privateKey: undefined },
    ];
    if (containers !== undefined) {
      const binary = (name, base64) => file(`${kind}.${name}`, Buffer.from(base64, "base64"));
      forms.push(
        { certificate: binary("p12", containers.pkcs12), privateKey: undefined, password: "secret" },
        { certificate: certificatePath, privateKey: binary("der", containers.der) },
        { certificate: certificatePath, privateKey: file(`${kind}.encrypted`, containers.encrypted), password: () => "secret" },
        { certificate: certificatePath, privateKey: file(`${kind}.traditional`, containers.traditional) },
      );
    }
    for (const form of forms) assert.match(await session(form, kind), /:assumed-role\/app\//);
  }
});

test("a certificate chain in a file of its own is sent", async () => {
  const { Authority } = await import("../../bindings-wasm/tests/pki.js");
  // Not an issuer of the certificate: the core leaves out what does not lead to the root.
  const unrelated = file("unrelated.pem", new Authority("Elsewhere").pem);
  assert.match(await session({ certificateChain: unrelated }), /assumed-role/);
  await fails({ certificateChain: file("broken-chain.pem", "nothing") }, "invalid_certificate");
});

test("what is no file is refused at once, and a tilde is named as the cause", async () => {
  const { execFileSync } = await import("node:child_process");
  const pipe = `${place.folder}/pipe`;
  execFileSync("mkfifo", [pipe]);
  const lines = [];
  const logger = { debug: (line) => lines.push(line), warn: (line) => lines.push(line) };
  for (const part of ["certificate", "privateKey", "certificateChain"]) {
    await fails({ [part]: pipe, logger }, "invalid_input", /it is a pipe, not a file/);
  }
  await fails({ certificate: place.folder, logger }, "invalid_input", /it is a directory, not a file/);
  // Both are new, and neither is a file that a writer has not finished.
  assert.ok(!lines.some((line) => line.includes("reading them again")), lines.join("\n"));
  await fails({ certificate: "~/client.pem" }, "invalid_input", /`~` stands for a home directory in a shell only/);
});

function nodeHasMlDsa() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 7);
}

test("a KeyObject signs where it is", async (context) => {
  for (const kind of ["RSA-2048", "P-256", "P-384", "P-521"]) {
    const { certificate, privateKey } = fixture.identities[kind];
    const key = createPrivateKey(privateKey);
    assert.match(await session({ certificate, privateKey: key }, kind), /assumed-role/);
    assert.match(await session({ certificate: file("k.pem", certificate), privateKey: key }, kind), /assumed-role/);
    await fails({ privateKey: createPublicKey(privateKey) }, "unsupported", /public/, kind);
    const { privateKey: other } = kind.startsWith("RSA")
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: kind });
    await fails({ privateKey: other }, "key_mismatch", /./, kind);
  }
  for (const kind of ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]) {
    let key;
    try {
      key = createPrivateKey(fixture.identities[kind].privateKey);
    } catch (error) {
      context.diagnostic(`${kind}: this Node has no such keys`);
      assert.ok(!nodeHasMlDsa(), error.message);
      continue;
    }
    assert.match(await session({ privateKey: key }, kind), /assumed-role/);
  }
  await fails({ privateKey: generateKeyPairSync("ed25519").privateKey }, "unsupported", /ed25519/);
  await fails({ privateKey: generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).privateKey }, "unsupported", /rsa-pss/);
});

test("what cannot be read is named", async () => {
  await fails({ certificate: "/nowhere/client.pem" }, "invalid_input", /the certificate `\/nowhere\/client\.pem` cannot be read \(ENOENT: no such file or directory\): check `certificate`/);
  await fails({ privateKey: place.folder }, "invalid_input", /a directory, not a file/);
  await fails({ certificate: file("long.pem", Buffer.alloc((1 << 20) + 1)) }, "invalid_input", /longer than 1048576 bytes/);
  await fails({ privateKey: 7 }, "invalid_input");
  await fails({ privateKey: file("not.key", "no key") }, "invalid_key");
  const { certificate, privateKey } = fixture.identities["P-256"];
  await fails({ privateKey, signer: () => new Uint8Array() }, "invalid_input", /both `privateKey` and `signer`/);
  for (const wrong of [
    { identity: () => ({ certificate, privateKey }), privateKey: undefined },
    { certificate: undefined },
    { certificate: undefined, privateKey: undefined, identity: 7 },
    { requestHandler: {} },
    { requestHandler: { handle() {} }, fetch },
    { trustAnchorArn: undefined },
  ]) {
    assert.throws(() => fromRolesAnywhere(init(wrong)), (error) => isRolesAnywhereError(error, "invalid_input"));
  }
  assert.throws(() => fromRolesAnywhere(), (error) => isRolesAnywhereError(error, "invalid_input"));
});

test("an identity's function may return paths", async () => {
  const { certificate, privateKey } = fixture.identities["P-256"];
  const identity = async () => ({ certificate: file("f.pem", certificate), privateKey: createPrivateKey(privateKey) });
  const options = { ...place.arns, endpoint: place.origin };
  assert.match((await createSession({ ...options, identity })).assumedRoleArn, /assumed-role/);
  for (const [identity, code] of [
    [() => undefined, "invalid_input"],
    [() => ({}), "invalid_input"],
    [() => { throw new Error("locked"); }, "invalid_input"],
  ]) {
    await assert.rejects(createSession({ ...options, identity }), (error) => isRolesAnywhereError(error, code));
  }
});

test("a key under scrypt does not hold up the event loop", async (context) => {
  if (BACKEND === "wasm") return context.skip("the WebAssembly module has no threads");
  const { certificate, privateKey } = fixture.identities["P-256"];
  const line = ["pkcs8", "-topk8", "-scrypt", "-scrypt_N", "16384", "-scrypt_r", "8", "-scrypt_p", "8", "-passout", "pass:secret"];
  const encrypted = openssl(line, privateKey);
  let [last, longest] = [performance.now(), 0];
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  await sleep(20);
  longest = 0;
  const began = performance.now();
  assert.match(await session({ certificate, privateKey: encrypted, password: "secret" }), /assumed-role/);
  const took = performance.now() - began;
  clearInterval(timer);
  context.diagnostic(`${took.toFixed(0)} ms, of which the event loop stood still ${longest.toFixed(0)} ms at the longest`);
  assert.ok(took > 50, "the key was opened too fast to tell");
  assert.ok(longest < took / 2, `the event loop stood still for ${longest} ms of ${took}`);
});

// ---- rotation

/** A provider on files, on the emulator's clock; its sessions are named by the certificate's serial number. */
function rotating(name) {
  const first = place.identity();
  const certificate = file(`${name}.pem`, first.certificate);
  const privateKey = file(`${name}.key`, first.privateKey);
  const warnings = [];
  const provider = fromRolesAnywhere(
    init({ certificate, privateKey, durationSeconds: 900, clock: place.clock, logger: { warn: (line) => warnings.push(line) } }),
  );
  const serial = async () => {
    const credentials = await provider({ forceRefresh: true });
    const { AwsClient } = await import("../js/index.js");
    const { region, origin } = fixture;
    const sts = new AwsClient({ credentials, region, service: "sts" });
    const answer = await sts.fetch(`${origin}/?Action=GetCallerIdentity&Version=2011-06-15`, { aws: { date: new Date(place.clock()) } });
    return /assumed-role\/app\/([0-9a-f]+)/.exec(await answer.text())[1];
  };
  return { certificate, privateKey, warnings, serial };
}

const serialOf = (certificate) => openssl(["x509", "-noout", "-serial"], certificate).toString().trim().slice("serial=".length).toLowerCase();

test("files that are replaced are used from the next renewal on", async () => {
  const { certificate, privateKey, warnings, serial } = rotating("atomic");
  const before = await serial();
  assert.equal(await serial(), before);
  for (const kind of ["P-384", "RSA-2048"]) {
    const next = place.identity(kind);
    for (const [path, content] of [[certificate, next.certificate], [privateKey, next.privateKey]]) {
      writeFileSync(`${path}.new`, content);
      renameSync(`${path}.new`, path);
    }
    assert.equal(await serial(), serialOf(next.certificate));
  }
  assert.deepEqual(warnings, []);
});

test("a writer between certificate and key is waited for", async () => {
  const { certificate, privateKey, serial } = rotating("torn");
  await serial();
  const next = place.identity();
  writeFileSync(certificate, next.certificate);
  const renewed = serial();
  await sleep(300);
  writeFileSync(privateKey, next.privateKey);
  assert.equal(await renewed, serialOf(next.certificate));
});

test("while new files cannot be used, the last identity is", async () => {
  const { certificate, privateKey, warnings, serial } = rotating("broken");
  const before = await serial();
  // Files that were modified just now are read again for a while: these are old.
  const settle = (...paths) => paths.forEach((path) => utimesSync(path, 0, 0));
  writeFileSync(privateKey, "-----BEGIN PRIVATE KEY-----\nhalf");
  settle(certificate, privateKey);
  assert.equal(await serial(), before);
  assert.match(warnings.at(-1), /the last identity is used on/);
  rmSync(certificate);
  assert.equal(await serial(), before);
  const next = place.identity();
  writeFileSync(certificate, next.certificate);
  writeFileSync(privateKey, place.identity().privateKey);
  settle(certificate, privateKey);
  assert.equal(await serial(), before);
  writeFileSync(privateKey, next.privateKey);
  assert.equal(await serial(), serialOf(next.certificate));
});
