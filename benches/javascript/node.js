// Node's addon beside the WebAssembly module and what one would write by hand with node:crypto, in turns:
// from the bytes of a certificate and its key to a signed request. `node benches/javascript/node.js` after
// `bindings-wasm/build` and `bindings-node/build --release`. Read the ratios.

import { X509Certificate, createHash, createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { loadavg } from "node:os";
import { performance } from "node:perf_hooks";

import { signed } from "./request.js";

const WASM = new URL("../../bindings-wasm/", import.meta.url);
const { Authority } = await import(new URL("tests/pki.js", WASM));
const { readIdentity } = await import(new URL("js/keys.js", WASM));
const { load } = await import(new URL("js/entry/node-core.js", WASM));
const { platformHere } = await import(new URL("../../bindings-node/packages.js", import.meta.url));
const addon = createRequire(import.meta.url)(`../../bindings-node/npm/${platformHere()}`);
const wasm = load();

const ROUNDS = Number(process.env.ROUNDS ?? 15);
const median = (values) => [...values].sort((one, other) => one - other)[values.length >> 1];

/**
 * Medians of the rounds, in microseconds a call: by the clock, and of processor time in all threads, which
 * other work on the machine disturbs less; and of the ratios to the first contender of the same round.
 */
async function compare(contenders, calls) {
  const names = Object.keys(contenders);
  const rounds = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const times = {};
    for (const name of names) {
      const [began, used] = [performance.now(), process.cpuUsage()];
      for (let call = 0; call < calls; call += 1) await contenders[name]();
      const { user, system } = process.cpuUsage(used);
      times[name] = { clock: ((performance.now() - began) * 1000) / calls, processor: (user + system) / calls };
    }
    if (round > 0) rounds.push(times); // the first warms up
  }
  const of = (name, kind) => median(rounds.map((times) => times[name][kind]));
  const ratio = (name, kind) => median(rounds.map((times) => times[name][kind] / times[names[0]][kind]));
  return names.map((name) => {
    const [clock, processor] = ["clock", "processor"].map((kind) => `${of(name, kind).toFixed(0)} µs (${ratio(name, kind).toFixed(2)})`);
    return `${name} ${clock}, processor ${processor}`;
  });
}

const show = (title, results) => console.log([title, ...results].join("\n    "));

const ARN = "arn:aws:rolesanywhere:eu-west-1:123456789012";
const ARNS = [`${ARN}:trust-anchor/a`, `${ARN}:profile/p`, "arn:aws:iam::123456789012:role/r"];
const NOW = 1_780_000_000;
const sha256 = (data) => createHash("sha256").update(data).digest("hex");

/** CreateSession's request by hand: the shortest program that the service would take. */
function byHand(certificate, privateKey) {
  const leaf = new X509Certificate(certificate);
  const date = new Date(NOW * 1000).toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${date.slice(0, 8)}/eu-west-1/rolesanywhere/aws4_request`;
  const [anchor, profile, role] = ARNS.map(encodeURIComponent);
  const query = `profileArn=${profile}&roleArn=${role}&trustAnchorArn=${anchor}`;
  const body = JSON.stringify({ durationSeconds: 3600 });
  const headers = {
    "content-type": "application/json",
    host: "rolesanywhere.eu-west-1.amazonaws.com",
    "x-amz-date": date,
    "x-amz-x509": leaf.raw.toString("base64"),
  };
  const names = Object.keys(headers);
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join("");
  const canonical = ["POST", "/sessions", query, lines, names.join(";"), sha256(body)].join("\n");
  const key = createPrivateKey(privateKey);
  const kind = key.asymmetricKeyType === "rsa" ? "RSA" : "ECDSA";
  const text = [`AWS4-X509-${kind}-SHA256`, date, scope, sha256(canonical)].join("\n");
  const signature = sign("sha256", Buffer.from(text), key).toString("hex");
  const serial = BigInt(`0x${leaf.serialNumber}`).toString();
  headers.authorization = `AWS4-X509-${kind}-SHA256 Credential=${serial}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return headers;
}

const newCall = (core) => new core.CreateSession(...ARNS, undefined, undefined, false, false, 3600, undefined, [], false);
const request = async (core, call, certificate, privateKey) => {
  const identity = await readIdentity(core, { certificate, privateKey });
  return signed(call, identity, NOW);
};

console.log(`Node ${process.versions.node}, OpenSSL ${process.versions.openssl}, load ${loadavg()[0].toFixed(1)}`);
const authority = new Authority();
for (const kind of ["P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096"]) {
  const identity = authority.identity(kind);
  const [certificate, privateKey] = [Buffer.from(identity.certificate), Buffer.from(identity.privateKey)];
  const native = newCall(addon);
  const module = newCall(wasm);
  show(
    `${kind}, PEM to signed request`,
    await compare(
      {
        "node:crypto by hand": () => byHand(certificate, privateKey),
        addon: () => request(addon, native, certificate, privateKey),
        "wasm with WebCrypto": () => request(wasm, module, certificate, privateKey),
      },
      kind === "RSA-4096" ? 20 : 50,
    ),
  );
  const key = createPrivateKey(privateKey);
  const held = await readIdentity(addon, { certificate, privateKey });
  const unsigned = native.prepare(held.chain, NOW);
  const message = unsigned.stringToSign;
  const threaded = () => new Promise((done, fail) => sign("sha256", message, key, (error, signature) => (error ? fail(error) : done(signature))));
  show(`${kind}, a kept key's signature`, await compare({ "node:crypto on a thread": threaded, addon: () => held.sign(unsigned) }, kind === "RSA-4096" ? 20 : 100));
}

// ML-DSA: node:crypto has it from 24.7 on.
const mldsa = JSON.parse(readFileSync(new URL("tests/ml-dsa.json", WASM), "utf8"));
for (const kind of ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]) {
  const identity = authority.mldsa(kind, mldsa);
  const [certificate, privateKey] = [Buffer.from(identity.certificate), Buffer.from(identity.privateKey)];
  const native = newCall(addon);
  const module = newCall(wasm);
  const contenders = {};
  try {
    sign(undefined, Buffer.of(1), createPrivateKey(privateKey));
    contenders["node:crypto, key to signature"] = () => sign(undefined, Buffer.of(1), createPrivateKey(privateKey));
  } catch {
    // This Node has no such keys.
  }
  contenders.addon = () => request(addon, native, certificate, privateKey);
  contenders.wasm = () => request(wasm, module, certificate, privateKey);
  show(`${kind}, PEM to signed request`, await compare(contenders, 20));
}
