// JavaScript's face beside what it stands on, in turns: WebCrypto alone, aws4fetch, hand-written
// JavaScript. `node benches/javascript/compare.js` after `bindings-wasm/build`. Read the ratios.

import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

import { signed } from "./request.js";

const FACE = new URL("../../bindings-wasm/", import.meta.url);
const { AwsClient } = await import(new URL("node_modules/aws4fetch/dist/aws4fetch.esm.mjs", FACE));
const { Authority } = await import(new URL("tests/pki.js", FACE));
const { readIdentity } = await import(new URL("js/keys.js", FACE));
const core = await import(new URL("dist/rolesanywhere.js", FACE));
const { bind } = await import(new URL("js/index.js", FACE));

const bytes = readFileSync(new URL("dist/rolesanywhere_bg.wasm", FACE));
const small = readFileSync(new URL("dist/webcrypto_bg.wasm", FACE));
const ROUNDS = Number(process.env.ROUNDS ?? 60);
const median = (values) => [...values].sort((one, other) => one - other)[values.length >> 1];

/** Microseconds a call, one figure per round; contenders take turns within a round, each the first once. */
async function compare(contenders, calls) {
  const entries = Object.entries(contenders);
  const times = new Map(entries.map(([name]) => [name, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (let turn = 0; turn < entries.length; turn += 1) {
      const [name, act] = entries[(round + turn) % entries.length];
      const began = performance.now();
      for (let call = 0; call < calls; call += 1) await act();
      if (round > 0) times.get(name).push(((performance.now() - began) * 1000) / calls); // the first warms up
    }
  }
  return times;
}

function show(title, results, base) {
  const reference = results.get(base);
  const cells = [...results].map(([name, times]) => {
    // Each round against the same round of the other: what else the machine does falls on both.
    const ratio = median(times.map((time, round) => time / reference[round]));
    return `${name} ${median(times).toFixed(1)} µs (${ratio.toFixed(2)})`;
  });
  console.log(`${title}: ${cells.join(", ")}`);
}

// ---- start: bytes to instance, and to the first signed request

const compiled = await compare(
  { "compile and instantiate, full": () => new WebAssembly.Instance(new WebAssembly.Module(bytes), imports(bytes)), "WebCrypto only": () => new WebAssembly.Instance(new WebAssembly.Module(small), imports(small)) },
  1,
);
show("start", compiled, "compile and instantiate, full");

function imports(wasm) {
  const out = {};
  for (const { module, name } of WebAssembly.Module.imports(new WebAssembly.Module(wasm))) (out[module] ??= {})[name] = () => {};
  return out;
}

const authority = new Authority();
const KINDS = ["RSA-2048", "P-256", "P-384", "P-521"];
const ARN = "arn:aws:rolesanywhere:eu-west-1:123456789012";
{
  const { certificate, privateKey } = authority.identity("P-256");
  const began = performance.now();
  core.initSync({ module: bytes });
  const loaded = performance.now();
  const identity = await readIdentity(core, { certificate, privateKey });
  await signed(newCall(), identity, 1_780_000_000);
  console.log(`cold: module ready in ${(loaded - began).toFixed(1)} ms, first signed request ${(performance.now() - loaded).toFixed(1)} ms later`);
}

function newCall() {
  return new core.CreateSession(`${ARN}:trust-anchor/a`, `${ARN}:profile/p`, "arn:aws:iam::123456789012:role/r", undefined, undefined, false, false, 3600, undefined, [], false);
}

// ---- CreateSession requests: prepared, signed, written; against WebCrypto's signature of the same bytes

for (const kind of KINDS) {
  const { certificate, privateKey } = authority.identity(kind);
  const identity = await readIdentity(core, { certificate, privateKey });
  const call = newCall();
  const message = call.prepare(identity.chain, 1_780_000_000).stringToSign;
  const der = Buffer.from(privateKey.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const [algorithm, parameters] = kind.startsWith("RSA")
    ? [{ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, { name: "RSASSA-PKCS1-v1_5" }]
    : [{ name: "ECDSA", namedCurve: kind }, { name: "ECDSA", hash: "SHA-256" }];
  const key = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  const text = new TextEncoder();
  const local = core.LocalIdentity.read(text.encode(certificate), text.encode(privateKey), undefined, undefined);
  const signer = local.signer();
  const chain = local.chain;
  const unsigned = call.prepare(chain, 1_780_000_000);
  const results = await compare(
    {
      WebCrypto: () => crypto.subtle.sign(parameters, key, message),
      // The signature, r‖s made DER and written into the header: what the goal of 1.1 is about.
      "through the face": async () => unsigned.authorization(await identity.sign(unsigned)),
      "whole request": () => signed(call, identity, 1_780_000_000),
    },
    25,
  );
  show(`${kind}`, results, "WebCrypto");
  const rust = await compare({ "pure Rust": async () => signer.sign(unsigned) }, kind.startsWith("RSA") ? 1 : 5);
  show(`${kind}, key in the module`, rust, "pure Rust");
}

// ---- the provider: credentials at hand, and a renewal with a service that answers at once

{
  const { certificate, privateKey } = authority.identity("P-256");
  let made = 0;
  const answer = () => {
    const expiration = new Date(Date.now() + 3600_000).toISOString();
    const credentials = { accessKeyId: `ASIA${(made += 1)}`, secretAccessKey: "s", sessionToken: "t".repeat(800), expiration };
    return new Response(JSON.stringify({ credentialSet: [{ credentials }] }), { status: 201, headers: { "content-type": "application/json" } });
  };
  const arns = { trustAnchorArn: `${ARN}:trust-anchor/a`, profileArn: `${ARN}:profile/p`, roleArn: "arn:aws:iam::123456789012:role/r" };
  const provider = bind(() => core).fromRolesAnywhere({ ...arns, certificate, privateKey, fetch: async () => answer() });
  await provider();
  const hit = await compare({ "credentials at hand": () => provider() }, 1000);
  show("provider", hit, "credentials at hand");
  const miss = await compare({ renewal: () => provider({ forceRefresh: true }) }, 20);
  show("provider", miss, "renewal");
}

// ---- HMAC: a GET and a PUT of 1 kB, against aws4fetch

const { signRequest } = bind(() => core);
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", sessionToken: "t".repeat(800) };
const client = new AwsClient({ ...credentials, service: "s3", region: "eu-west-1" });
const url = "https://bucket.s3.eu-west-1.amazonaws.com/some/key";
const body = "x".repeat(1024);
const hash = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(body))).toString("hex");
for (const [title, init, aws] of [
  ["S3 GET", { method: "GET" }, {}],
  ["S3 PUT of 1 kB, hashed", { method: "PUT", body }, {}],
  ["S3 PUT of 1 kB, hash known", { method: "PUT", body, headers: { "x-amz-content-sha256": hash } }, {}],
]) {
  const results = await compare(
    {
      aws4fetch: () => client.sign(url, { ...init, aws }),
      "through the face": () => signRequest(url, { ...init, credentials, service: "s3", region: "eu-west-1" }),
    },
    50,
  );
  show(title, results, "aws4fetch");
}
