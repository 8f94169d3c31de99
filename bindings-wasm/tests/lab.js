// What every runtime is tested against: the emulator on a clock of the tests' own, behind one origin
// on loopback that also serves the package's files, the fixture, and the controls.
//
//   GET  /fixture                certificates, keys, vectors
//   POST /issue                  a SubjectPublicKeyInfo in DER → a certificate, PEM
//   POST /control?advance=N      moves the emulator's clock
//   GET  /control                { sessions, calls, now }
//   GET  /files/…                the package's files
//   all else                     the emulator's: the request is passed on as it is, `host` included

import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { Authority, createPrivateKey } from "./pki.js";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
const ACCOUNT = "123456789012";
const REGION = "eu-west-1";
const ID = "11111111-1111-4111-8111-111111111111";
const LONG_ID = "22222222-2222-4222-8222-222222222222";
const ARNS = {
  trustAnchorArn: `arn:aws:rolesanywhere:${REGION}:${ACCOUNT}:trust-anchor/${ID}`,
  profileArn: `arn:aws:rolesanywhere:${REGION}:${ACCOUNT}:profile/${ID}`,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/app`,
};
const CONFIG = `
account = "${ACCOUNT}"
region = "${REGION}"
[settings]
audit_records = 100000 # the tests count them, and all runtimes have one lab
[[trust_anchor]]
name = "ca"
id = "${ID}"
pem_file = "ca.pem"
[[trust_anchor]]
name = "long"
id = "${LONG_ID}"
pem_file = "long.pem"
[[profile]]
name = "app"
id = "${ID}"
roles = ["app"]
duration_seconds = 43200
[[role]]
name = "app"
max_session_duration = 43200
[[role]]
name = "other"
`;
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html", ".json": "application/json" };

export async function lab() {
  const folder = mkdtempSync(join(tmpdir(), "rolesanywhere-"));
  const authority = new Authority();
  const fixture = fixtureOf(authority, folder);
  const plain = await emulator(folder, authority.pem);
  // Six ML-DSA-87 certificates have 60 kB; Node's own bound is 16 KiB.
  const server = http.createServer({ maxHeaderSize: 128 * 1024 }, (request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error.stack)));
  });
  server.keepAliveTimeout = 1000;
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${server.address().port}`;

  async function answer(request, response) {
    const url = new URL(request.url, origin);
    const send = (type, body) => response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body);
    if (url.pathname === "/fixture") return send("application/json", JSON.stringify({ ...fixture, origin }));
    if (url.pathname === "/issue") return send("text/plain", authority.issue(await bodyOf(request)));
    if (url.pathname === "/control") {
      const advance = url.searchParams.get("advance");
      if (advance !== null) await plain.ask(`advance ${Number(advance)}`);
      const now = await plain.ask("advance 0");
      const records = await plain.ask("records");
      const calls = records.filter((record) => record.operation === "CreateSession");
      return send("application/json", JSON.stringify({ now, calls: calls.length, sessions: calls.filter((call) => call.refused === null).length }));
    }
    if (url.pathname.startsWith("/files/")) {
      const path = url.pathname.slice("/files/".length);
      if (path.includes("..")) return response.writeHead(404).end();
      return send(TYPES[extname(path)] ?? "text/plain", readFileSync(join(PACKAGE, path)));
    }
    if (url.pathname === "/favicon.ico") return response.writeHead(404).end();
    // The headers as they came: `host` is signed.
    const onward = http.request(plain.endpoint + request.url, { method: request.method, headers: request.headers, setHost: false }, (answered) => {
      response.writeHead(answered.statusCode, answered.headers);
      answered.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
    return undefined;
  }

  return {
    origin,
    arns: ARNS,
    authority,
    fixture: { ...fixture, origin },
    folder,
    /** The same service over TLS; its CA in a file. */
    async tls() {
      const own = await emulator(folder, authority.pem, "tls");
      const caFile = join(folder, "tls-ca.pem");
      writeFileSync(caFile, own.caPem);
      return { ...own, caFile };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      plain.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function fixtureOf(authority, folder) {
  const mldsa = JSON.parse(readFileSync(new URL("ml-dsa.json", import.meta.url), "utf8"));
  const identities = {};
  for (const kind of ["RSA-2048", "P-256", "P-384", "P-521"]) {
    const { key, ...identity } = authority.identity(kind);
    identities[kind] = identity;
    identities[kind].containers = containersOf(folder, identity, key);
  }
  for (const kind of ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]) identities[kind] = authority.mldsa(kind, mldsa);
  const { key: _, ...stranger } = new Authority("Another CA").identity("P-256");
  const vectors = join(ROOT, "tests/vectors");
  const json = (name) => JSON.parse(readFileSync(join(vectors, name), "utf8"));
  const cases = readdirSync(join(vectors, "create-session")).map((name) => {
    const file = (part) => readFileSync(join(vectors, "create-session", name, part), "utf8");
    return {
      name,
      context: JSON.parse(file("context.json")),
      request: JSON.parse(file("request.json")),
      certificate: file("certificate.pem"),
      canonicalRequest: file("canonical-request.txt"),
      stringToSign: file("string-to-sign.txt"),
      authorization: file("authorization.txt"),
    };
  });
  const long = {
    trustAnchorArn: ARNS.trustAnchorArn.replace(ID, LONG_ID),
    certificate: longChain("certificate"),
    certificateChain: longChain("chain"),
    privateKey: longChain("key"),
  };
  return { arns: ARNS, account: ACCOUNT, region: REGION, long, identities, stranger, vectors: { cases, errors: json("errors.json"), endpoints: json("endpoints.json").endpoints, hosts: json("hosts.json").hosts, requests: json("signed-requests.json"), lifecycle: lifecycle(join(vectors, "lifecycle")), sharing: json("sharing.json") } };
}

/** A part of the identity with the longest headers, PEM. */
function longChain(part) {
  return readFileSync(join(ROOT, "tests/vectors/long-chain", `${part}.pem`), "utf8");
}

function lifecycle(folder) {
  const text = (...path) => readFileSync(join(folder, ...path), "utf8");
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return {
    scenarios: names.map((name) => ({ name, json: JSON.parse(text(name)) })),
    certificates: Object.fromEntries(readdirSync(join(folder, "certificates")).map((name) => [name, text("certificates", name)])),
  };
}

/** The same key in other forms, by OpenSSL; binary ones in base64. */
function containersOf(folder, { certificate, privateKey }, key) {
  const files = { certificate: join(folder, "c.pem"), key: join(folder, "k.pem") };
  writeFileSync(files.certificate, certificate);
  writeFileSync(files.key, privateKey);
  const openssl = (...line) => execFileSync("openssl", line, { stdio: ["ignore", "pipe", "pipe"] });
  const pkcs7 = openssl("crl2pkcs7", "-nocrl", "-certfile", files.certificate, "-outform", "DER");
  if (pkcs7[1] !== 0x82) throw new Error("the PKCS#7's length does not have two bytes");
  const traditional = key.asymmetricKeyType === "rsa" ? "pkcs1" : "sec1";
  return {
    traditional: key.export({ type: traditional, format: "pem" }),
    encrypted: key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" }),
    legacy: openssl("pkey", "-in", files.key, "-traditional", "-aes256", "-passout", "pass:secret").toString(),
    certificate: openssl("x509", "-in", files.certificate, "-outform", "DER").toString("base64"),
    der: key.export({ type: "pkcs8", format: "der" }).toString("base64"),
    encryptedDer: key.export({ type: "pkcs8", format: "der", cipher: "aes-256-cbc", passphrase: "secret" }).toString("base64"),
    pkcs7: pkcs7.toString("base64"),
    // Of indefinite length, as mail programs write it.
    ber: Buffer.concat([Buffer.of(0x30, 0x80), pkcs7.subarray(4), Buffer.alloc(2)]).toString("base64"),
    pkcs12: openssl("pkcs12", "-export", "-in", files.certificate, "-inkey", files.key, "-passout", "pass:secret").toString("base64"),
  };
}

async function emulator(folder, caPem, ...more) {
  writeFileSync(join(folder, "ca.pem"), caPem);
  writeFileSync(join(folder, "long.pem"), longChain("root"));
  writeFileSync(join(folder, "emulator.toml"), CONFIG);
  const program = join(TARGET, "debug/examples/test-emulator");
  const child = spawn(program, [join(folder, "emulator.toml"), ...more], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the emulator ended: ${program}`);
    return JSON.parse(value);
  };
  const { endpoint, ca_pem: caCertificate } = await next();
  let turn = Promise.resolve();
  return {
    endpoint,
    caPem: caCertificate,
    ask(line) {
      turn = turn.then(() => {
        child.stdin.write(`${line}\n`);
        return next();
      });
      return turn;
    },
    close() {
      child.stdin.end();
    },
  };
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

export { PACKAGE, ROOT, createHash, createPrivateKey };
