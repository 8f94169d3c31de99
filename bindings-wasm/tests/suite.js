// The one suite, which every runtime runs: `run({ api, slim, core, fixture })` with the package's
// exports of the full and of the WebCrypto-only build, the full build's classes, and the lab's fixture.

import { Suite, equal, ok, thrown } from "./assert.js";

const suite = new Suite();
export async function run(context, only) {
  const given = prepared(context);
  // What a test asks of the full build's classes themselves takes a module that is loaded.
  await context.api.createSession(given.init("P-256", { durationSeconds: 1 })).catch(() => {});
  return suite.run(given, only);
}

const KINDS = ["RSA-2048", "P-256", "P-384", "P-521", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"];

function prepared({ api, slim, core, fixture }) {
  const { origin } = fixture;
  const control = async (query = "") => (await fetch(`${origin}/control${query}`, { method: "POST" })).json();
  let offset = 0;
  return {
    api, slim, core, fixture,
    /** Parameters for the lab, with an identity of the fixture's. */
    init: (kind, more = {}) => {
      const { certificate, privateKey } = fixture.identities[kind];
      return { ...fixture.arns, endpoint: origin, certificate, privateKey, ...more };
    },
    counts: () => control(),
    clock: () => Date.now() + offset,
    advance: async (seconds) => {
      const before = (await control()).now;
      const { now } = await control(`?advance=${seconds}`);
      ok(now >= before + seconds, "the emulator's clock did not move");
      offset += seconds * 1000;
    },
    /** Goes back to the system's time, for the next test. */
    rewind: async () => {
      if (offset !== 0) await control(`?advance=${-offset / 1000}`);
      offset = 0;
    },
  };
}

/** What the emulator's STS says that some credentials are. */
async function caller({ api, fixture }, credentials, date) {
  const body = "Action=GetCallerIdentity&Version=2011-06-15";
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const signed = await api.signRequest(`${fixture.origin}/`, { method: "POST", body, headers, region: fixture.region, service: "sts", credentials, date });
  const response = await fetch(signed.url, signed);
  const text = await response.text();
  equal(response.status, 200, text);
  return /<Arn>([^<]+)<\/Arn>/.exec(text)?.[1];
}

async function supports(kind) {
  try {
    await crypto.subtle.generateKey(...generation(kind), false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

function generation(kind) {
  if (kind.startsWith("RSA")) return [{ name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" }];
  return [kind.startsWith("P-") ? { name: "ECDSA", namedCurve: kind } : { name: kind }];
}

const base64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const unix = (iso) => Date.parse(iso.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z")) / 1000;

// ---- vectors

suite.test("vectors: errors", ({ api, core, fixture }) => {
  const { errors } = fixture.vectors;
  ok(errors.length > 10);
  equal([...api.ERROR_CODES], errors.map(({ code }) => code));
  equal([...core.errorCodes()], errors.map(({ code }) => code));
  for (const { code, retryable } of errors) {
    const error = new api.RolesAnywhereError(code, "a message");
    equal([error.code, error.retryable, new core.Failure(code, "m").retryable], [code, retryable, retryable]);
    ok(error instanceof Error && api.isRolesAnywhereError(error, code) && !api.isRolesAnywhereError(new Error("x")));
  }
});

suite.test("vectors: endpoints", ({ core, fixture }) => {
  const { endpoints } = fixture.vectors;
  ok(endpoints.length > 100);
  for (const { region, fips, dual_stack: dualStack, url, signing_region: signing, partition } of endpoints) {
    const arn = `arn:${partition}:rolesanywhere:${signing}:${fixture.account}`;
    const call = new core.CreateSession(`${arn}:trust-anchor/a`, `${arn}:profile/p`, `arn:${partition}:iam::${fixture.account}:role/r`, region, undefined, fips, dualStack, undefined, undefined, [], false);
    equal([call.endpointUrl, call.region, call.partition, core.partitionOf(signing)], [url, signing, partition, partition]);
    call.free();
  }
});

suite.test("vectors: create-session", async ({ core, fixture }) => {
  const { cases } = fixture.vectors;
  ok(cases.length > 0);
  for (const { context, request, certificate, canonicalRequest, stringToSign, authorization } of cases) {
    const chain = core.CertificateChain.read(new TextEncoder().encode(certificate), undefined, undefined);
    equal(chain.serialDecimal, context.serial_number);
    const call = new core.CreateSession(context.trust_anchor_arn, context.profile_arn, context.role_arn, context.region, context.endpoint, false, false, context.duration_seconds, undefined, [], context.arns === "body");
    const unsigned = call.prepare(chain, unix(context.time));
    // Ours, with the headers of the case that this face does not send.
    const signed = /SignedHeaders=([^,]+)/.exec(authorization)[1].split(";");
    const lines = unsigned.canonicalRequest.split("\n");
    const own = new Map(lines.slice(3, -3).map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
    const arrived = new Map(request.headers.map(([name, value]) => [name.toLowerCase(), value.trim().replace(/ +/g, " ")]));
    ok([...own.keys()].every((name) => signed.includes(name)), "a header is signed that the case does not sign");
    const rebuilt = [...lines.slice(0, 3), ...signed.map((name) => `${name}:${own.get(name) ?? arrived.get(name)}`), "", signed.join(";"), lines.at(-1)].join("\n");
    equal(rebuilt, canonicalRequest);
    const digest = Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(rebuilt))), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const text = new TextDecoder().decode(unsigned.stringToSign).split("\n");
    equal([...text.slice(0, 3), digest].join("\n"), stringToSign);
    ok(authorization.startsWith(`${text[0]} Credential=${context.serial_number}/${text[2]}, `));
    // The recorded signature, by WebCrypto.
    equal(chain.keyAlgorithm, "RSA-2048");
    const pkcs1 = chain.publicKey;
    const spki = Uint8Array.of(0x30, 0x82, (pkcs1.length + 20) >> 8, (pkcs1.length + 20) & 255, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0, 3, 0x82, (pkcs1.length + 1) >> 8, (pkcs1.length + 1) & 255, 0, ...pkcs1);
    const key = await crypto.subtle.importKey("spki", spki, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, ["verify"]);
    const signature = Uint8Array.from(/Signature=(\w+)/.exec(authorization)[1].match(/../g), (pair) => Number.parseInt(pair, 16));
    ok(await crypto.subtle.verify("RSASSA-PKCS1-v1_5", key, signature, new TextEncoder().encode(stringToSign)));
  }
});

suite.test("vectors: signed requests", async ({ core, fixture }) => {
  const { access_key_id: id, secret_access_key: secret, requests } = fixture.vectors.requests;
  ok(requests.length >= 100);
  for (const given of requests) {
    const now = unix(given.time);
    const key = new core.SigningKey(id, secret, given.session_token, now, given.region, given.service, given.s3);
    const sha = given.canonical_request.endsWith("UNSIGNED-PAYLOAD") ? undefined : new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(given.body)));
    if (given.form === "header") {
      const headers = key.signHeaders(given.method, given.path, given.query, given.headers.flat(), sha, now);
      equal(headers[headers.indexOf("Authorization") + 1], given.authorization);
    } else {
      const query = key.presign(given.method, given.path, given.query, given.headers.flat(), sha, now, given.expires);
      equal(query.slice(query.lastIndexOf("=") + 1), given.signature);
    }
    key.free();
  }
});

suite.test("vectors: signed requests through signRequest", async ({ api, fixture }) => {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, requests } = fixture.vectors.requests;
  let compared = 0;
  for (const given of requests) {
    const host = given.headers.find(([name]) => name.toLowerCase() === "host")[1];
    const address = `https://${host}${given.path}${given.query === "" ? "" : `?${given.query}`}`;
    // What `URL` and `Headers` rewrite before it can be signed is not the same request any more.
    const url = URL.canParse(address) ? new URL(address) : undefined;
    const names = given.headers.map(([name]) => name.toLowerCase());
    const same = url !== undefined && url.host === host && url.pathname + url.search === `${given.path}${given.query === "" ? "" : `?${given.query}`}` && new Set(names).size === names.length;
    if (!same || names.includes("content-length") || (given.s3 && given.form === "query")) continue;
    const headers = given.headers.filter(([name]) => name.toLowerCase() !== "host");
    if (given.body !== "" && !names.includes("content-type")) continue; // `fetch` would add one, which is signed
    const signed = await api.signRequest(url, {
      method: given.method, headers, region: given.region, service: given.service, date: new Date(unix(given.time) * 1000),
      payloadSha256: given.canonical_request.split("\n").at(-1),
      credentials: { accessKeyId, secretAccessKey, sessionToken: given.session_token },
      presign: given.form === "query" ? { expiresInSeconds: given.expires } : false,
    }).catch((error) => (error.code === "invalid_input" && /only S3/.test(error.message) ? undefined : Promise.reject(error)));
    if (signed === undefined) continue;
    const expected = given.form === "header" ? given.authorization : given.signature;
    equal(given.form === "header" ? signed.headers.get("authorization") : signed.url.slice(signed.url.lastIndexOf("=") + 1), expected);
    compared += 1;
  }
  ok(compared >= 10, `only ${compared} requests were comparable`);
});

// ---- keys

for (const kind of KINDS) {
  suite.test(`PEM key: ${kind}`, async (context) => {
    const { api, init, fixture } = context;
    const credentials = await api.fromRolesAnywhere(init(kind))();
    equal(credentials.accountId, fixture.account);
    ok(credentials.expiration instanceof Date && credentials.expiration.getTime() > Date.now());
    ok((await caller(context, credentials)).startsWith(`arn:aws:sts::${fixture.account}:assumed-role/app/`));
  });

  suite.test(`pure-Rust signer: ${kind}`, async ({ core, fixture }) => {
    const { certificate, privateKey } = fixture.identities[kind];
    const bytes = (text) => new TextEncoder().encode(text);
    const identity = core.LocalIdentity.read(bytes(certificate), bytes(privateKey), undefined, undefined);
    const { trustAnchorArn, profileArn, roleArn } = fixture.arns;
    const call = new core.CreateSession(trustAnchorArn, profileArn, roleArn, undefined, fixture.origin, false, false, 900, undefined, [], true);
    const request = identity.signer().sign(call.prepare(identity.chain, Math.floor(Date.now() / 1000)));
    const headers = [];
    for (let at = 0; at < request.headers.length; at += 2) headers.push([request.headers[at], request.headers[at + 1]]);
    const response = await fetch(request.url, { method: "POST", headers, body: request.body });
    equal(response.status, 201, await response.text());
  });

  suite.test(`non-extractable CryptoKey: ${kind}`, async (context) => {
    const { api, slim, fixture, init, skip } = context;
    if (!(await supports(kind))) skip("this runtime's WebCrypto has no such keys");
    const { privateKey, publicKey } = await crypto.subtle.generateKey(...generation(kind), false, ["sign", "verify"]);
    ok(!privateKey.extractable);
    const spki = await crypto.subtle.exportKey("spki", publicKey);
    const certificate = await (await fetch(`${fixture.origin}/issue`, { method: "POST", body: spki })).text();
    for (const build of [api, slim]) {
      const credentials = await build.fromRolesAnywhere(init(kind, { certificate, privateKey }))();
      ok((await caller(context, credentials)).includes("assumed-role/app/"));
    }
    // A key of the same kind that is another.
    const error = await thrown(() => api.createSession(init(kind, { privateKey })));
    equal(error.code, "key_mismatch", error.message);
  });
}

suite.test("containers: PKCS#1, SEC1, encrypted PKCS#8, DER, PKCS#12", async (context) => {
  const { api, fixture, init } = context;
  for (const kind of ["RSA-2048", "P-256", "P-384", "P-521"]) {
    const { certificate, containers } = fixture.identities[kind];
    for (const given of [
      { privateKey: containers.traditional },
      { privateKey: containers.encrypted, password: "secret" },
      { privateKey: base64(containers.der) },
      { certificate: base64(containers.pkcs12), privateKey: undefined, password: "secret" },
      { certificate: certificate + containers.traditional, privateKey: undefined },
    ]) {
      const { assumedRoleArn } = await api.createSession(init(kind, given));
      ok(assumedRoleArn.includes(":assumed-role/app/"));
    }
    const codes = [];
    for (const password of ["wrong", undefined]) {
      codes.push((await thrown(() => api.createSession(init(kind, { privateKey: containers.encrypted, password })))).code);
    }
    equal(codes, ["wrong_password", "password_required"]);
  }
});

suite.test("what cannot be used is refused by name", async ({ api, slim, fixture, init }) => {
  const { stranger, identities } = fixture;
  const code = async (build, more) => {
    const error = await thrown(() => build.createSession(init("P-256", more)));
    ok(build.isRolesAnywhereError(error), String(error));
    return error.code;
  };
  equal(await code(api, { privateKey: stranger.privateKey }), "key_mismatch");
  equal(await code(slim, { privateKey: stranger.privateKey }), "key_mismatch");
  equal(await code(api, { privateKey: identities["RSA-2048"].privateKey }), "key_mismatch");
  equal(await code(slim, { privateKey: identities["RSA-2048"].privateKey }), "invalid_key");
  equal(await code(api, { certificate: "no certificate" }), "invalid_certificate");
  equal(await code(api, { privateKey: "no key" }), "invalid_key");
  equal(await code(slim, { privateKey: "no key" }), "invalid_key");
  equal(await code(slim, { privateKey: identities["P-256"].containers.traditional }), "unsupported");
  equal(await code(slim, { privateKey: undefined }), "invalid_input");
  equal(await code(api, { privateKey: 7 }), "invalid_input");
  equal(await code(api, { durationSeconds: 899.5 }), "invalid_input");
  equal(await code(api, { durationSeconds: 60 }), "invalid_input");
  equal(await code(api, { roleSessionName: "a b" }), "invalid_input");
  equal(await code(api, { region: "us-east-1" }), "invalid_input");
  equal(await code(api, { roleArn: "arn:aws:iam::1:user/x" }), "invalid_input");
  equal(await code(api, { arnPlacement: "header" }), "invalid_input");
  for (const missing of [{ trustAnchorArn: undefined }, { certificate: undefined }, { identity: () => ({}) }, { cache: {} }]) {
    equal((await thrown(() => api.fromRolesAnywhere(init("P-256", missing)))).code, "invalid_input");
  }
});

suite.test("the WebCrypto build reads PKCS#8 and signs as the other does", async (context) => {
  const { slim, init, fixture } = context;
  for (const kind of ["RSA-2048", "P-256", "P-384"]) {
    const { containers } = fixture.identities[kind];
    for (const more of [{}, { privateKey: base64(containers.der) }]) {
      const credentials = await slim.fromRolesAnywhere(init(kind, more))();
      ok((await caller({ ...context, api: slim }, credentials)).includes("assumed-role/app/"));
    }
  }
});

suite.test("a signer of the caller's: message and digest, DER and r‖s", async (context) => {
  const { api, fixture, init } = context;
  const { privateKey } = fixture.identities["P-256"];
  const der = base64(privateKey.replace(/-----[^-]+-----|\s/g, ""));
  const key = await crypto.subtle.importKey("pkcs8", der, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const p1363 = async (message) => new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, message));
  const integer = (bytes) => {
    const digits = [...bytes.slice(bytes.findIndex((byte) => byte !== 0))];
    if (digits[0] >= 0x80) digits.unshift(0);
    return [2, digits.length, ...digits];
  };
  const asDer = (raw) => {
    const body = [...integer(raw.slice(0, 32)), ...integer(raw.slice(32))];
    return Uint8Array.of(0x30, body.length, ...body);
  };
  const seen = [];
  const signers = [
    async (message, about) => { seen.push(about); return asDer(await p1363(message)); },
    { sign: async (message) => asDer(await p1363(message)).buffer, ecdsa: "der" },
    { sign: p1363, ecdsa: "p1363" },
  ];
  for (let round = 0; round < 8; round += 1) { // short integers come by chance
    for (const signer of signers) {
      const { assumedRoleArn } = await api.createSession(init("P-256", { privateKey: undefined, signer }));
      ok(assumedRoleArn.includes(":assumed-role/app/"));
    }
  }
  equal(seen[0], { algorithm: "AWS4-X509-ECDSA-SHA256", keyAlgorithm: "EC P-256" });
  const failing = async (signer) => (await thrown(() => api.createSession(init("P-256", { privateKey: undefined, signer })))).code;
  equal(await failing(p1363), "signing_failed"); // r‖s where DER was promised
  equal(await failing(() => { throw new Error("locked"); }), "signing_failed");
  equal(await failing(() => "text"), "signing_failed");
  equal(await failing({ sign: async () => asDer(await p1363(Uint8Array.of(1))), ecdsa: "der" }), "key_mismatch");
  equal(await failing({ sign: "x" }), "invalid_input");
  let passed;
  equal(await failing({ sign: (digest) => { passed = digest.length; return new Uint8Array(64); }, input: "digest", ecdsa: "p1363" }), "signing_failed");
  equal(passed, 32);
});

// ---- renewal

suite.test("one request is in flight for many callers, and renewal follows the clock", async (context) => {
  const { api, init, counts, clock, advance, rewind } = context;
  const background = [];
  const provider = api.fromRolesAnywhere(init("P-256", { clock, durationSeconds: 3600, waitUntil: (promise) => background.push(promise) }));
  ok(provider.memoized);
  const before = (await counts()).sessions;
  const many = () => Promise.all(Array.from({ length: 100 }, () => provider()));
  const first = await many();
  equal([new Set(first).size, (await counts()).sessions - before], [1, 1]);
  await advance(1800);
  ok((await provider()) === first[0], "renewed half an hour early");
  // In the background window: what is at hand is returned at once, and renewed.
  await advance(1800 - 600);
  ok((await many()).every((credentials) => credentials === first[0]));
  await Promise.all(background);
  const second = await provider();
  ok(second !== first[0] && second.expiration > first[0].expiration);
  equal((await counts()).sessions - before, 2);
  // Past the end: everyone waits for one.
  await advance(7200);
  equal([new Set(await many()).size, (await counts()).sessions - before], [1, 3]);
  ok((await provider({ forceRefresh: true })).accessKeyId !== second.accessKeyId);
  equal((await counts()).sessions - before, 4);
  await rewind();
});

suite.test("valid credentials are served while renewal fails, and the failure after", async (context) => {
  const { api, init, clock, advance, rewind } = context;
  let broken = false;
  let calls = 0;
  const warnings = [];
  const provider = api.fromRolesAnywhere(init("P-256", {
    clock, durationSeconds: 3600, maxAttempts: 2, sleep: async () => {},
    logger: { warn: (line) => warnings.push(line) },
    fetch: (...request) => { calls += 1; return broken ? Promise.reject(new TypeError("unplugged")) : fetch(...request); },
  }));
  const first = await provider();
  broken = true;
  await advance(3600 - 120); // within the mandatory window
  ok((await provider()) === first);
  equal([calls, warnings.length], [3, 1]);
  ok(warnings[0].includes("unplugged") && !warnings[0].includes(first.secretAccessKey));
  ok((await provider()) === first);
  equal(calls, 3); // not at every use
  await advance(3600);
  const error = await thrown(provider);
  equal([error.code, error.retryable], ["transport_failed", true]);
  const soon = await thrown(provider);
  ok(soon !== error && soon.code === error.code && calls === 5, "the last failure is told again without a request");
  broken = false;
  await advance(600);
  ok((await provider()) !== first);
  await rewind();
});

suite.test("a wrong clock is corrected by the service's", async (context) => {
  const { api, init, fixture } = context;
  const clock = () => Date.now() - 3600_000;
  const provider = api.fromRolesAnywhere(init("P-256", { clock }));
  const credentials = await provider();
  ok((await provider()) === credentials);
  equal(credentials.accountId, fixture.account);
});

suite.test("an identity is asked anew at each renewal", async (context) => {
  const { api, init, fixture, clock, advance, rewind } = context;
  const asked = [];
  const identities = [fixture.identities["P-256"], fixture.identities["RSA-2048"]];
  const provider = api.fromRolesAnywhere({
    ...init("P-256"), certificate: undefined, privateKey: undefined, clock, durationSeconds: 900,
    identity: async () => { asked.push(1); return identities[asked.length - 1]; },
  });
  const first = await provider();
  await advance(900);
  ok((await provider()) !== first);
  equal(asked.length, 2);
  await rewind();
});

suite.test("a client of another partition is refused", async ({ api, init }) => {
  const provider = api.fromRolesAnywhere(init("P-256"));
  const client = (region) => ({ callerClientConfig: { region: async () => region } });
  ok(await provider(client("us-west-2")));
  const error = await thrown(() => provider(client("cn-north-1")));
  equal(error.code, "invalid_input");
  ok(error.message.includes("`cn-north-1`") && error.message.includes("`aws-cn`"), error.message);
});

// ---- the service's refusals, and what stands between

suite.test("a refusal carries status, code and request id, and no secret", async ({ api, init }) => {
  const error = await thrown(() => api.createSession(init("P-256", { roleArn: "arn:aws:iam::123456789012:role/other" })));
  equal([error.name, error.code, error.status, error.serviceCode, error.retryable], ["RolesAnywhereError", "access_denied", 403, "AccessDeniedException", false]);
  ok(error.requestId.length > 10 && error.serverTime instanceof Date);
  ok(error.message.includes(error.serviceMessage), error.message);
});

suite.test("answers that are no session", async ({ api, init }) => {
  const failing = async (answer, more = {}) => {
    const error = await thrown(() => api.createSession(init("P-256", { maxAttempts: 1, fetch: async (...request) => answer(...request), ...more })));
    ok(api.isRolesAnywhereError(error), String(error?.stack));
    return error;
  };
  equal((await failing(() => new Response("<html>", { status: 200 }))).code, "invalid_response");
  equal((await failing(() => new Response("", { status: 201 }))).code, "invalid_response");
  equal((await failing(() => new Response(null, { status: 302, headers: { location: "https://elsewhere.example" } }))).code, "invalid_response");
  equal((await failing(() => new Response(new Uint8Array(300 * 1024), { status: 201 }))).code, "invalid_response");
  equal((await failing(() => { throw new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") }); })).code, "transport_failed");
  const throttled = await failing(() => new Response('{"message":"Rate exceeded"}', { status: 429, headers: { "retry-after": "3" } }));
  equal([throttled.code, throttled.retryAfter, throttled.retryable], ["throttled", 3, true]);
  const started = Date.now();
  const late = await failing(() => new Promise(() => {}), { timeoutMilliseconds: 100 });
  ok(late.code === "transport_failed" && late.message.includes("100 ms") && Date.now() - started < 5000, late.message);
  // A secret in a broken answer is not repeated.
  const secret = await failing(() => new Response('{"credentialSet":[{"credentials":{"secretAccessKey":"hushhush"', { status: 201 }));
  ok(!`${secret.message}${secret.stack}${JSON.stringify(secret)}`.includes("hushhush"));
});

suite.test("a failing service is asked again, signed anew, and no more than asked", async ({ api, init }) => {
  const seen = [];
  const pauses = [];
  let now = Date.now();
  const options = init("P-256", {
    clock: () => (now += 2000),
    sleep: async (milliseconds) => { pauses.push(milliseconds); },
    fetch: async (url, request) => {
      seen.push(request.headers.get("authorization"));
      return seen.length < 3 ? new Response("{}", { status: 503 }) : fetch(url, request);
    },
  });
  ok((await api.createSession(options)).credentials.accessKeyId);
  equal([seen.length, new Set(seen).size, pauses.length], [3, 3, 2]);
  ok(pauses.every((pause) => pause >= 0 && pause <= 5000));
  const always = init("P-256", { sleep: async () => {}, fetch: async () => { seen.push(""); return new Response("{}", { status: 500 }); } });
  equal((await thrown(() => api.createSession(always))).code, "service_unavailable");
  equal(seen.length, 6);
});

suite.test("a renewal that never ends is given up by those who wait for it", async ({ api, init }) => {
  let hung = 0;
  const provider = api.fromRolesAnywhere(init("P-256", {
    maxAttempts: 1, timeoutMilliseconds: 100, privateKey: undefined,
    // As when a worker's request is cancelled: nothing of it settles any more.
    signer: { sign: () => { hung += 1; return new Promise(() => {}); } },
  }));
  const errors = await Promise.all([thrown(provider), thrown(provider)]);
  equal(errors.map(({ code }) => code), ["transport_failed", "transport_failed"]);
  ok(hung >= 2, "no second renewal was begun");
});

// ---- sharing

function memoryStore({ lock = false } = {}) {
  const entries = new Map();
  const held = new Map();
  const store = {
    entries, loads: 0,
    async load(key) { store.loads += 1; return entries.get(key); },
    async store(key, value) { entries.set(key, value); },
  };
  if (lock) {
    store.lock = async (key) => {
      if (held.has(key)) return undefined;
      held.set(key, true);
      return async () => { held.delete(key); };
    };
  }
  return store;
}

suite.test("isolates share a session, encrypted under the caller's key", async (context) => {
  const { api, init, counts, clock, advance, rewind } = context;
  for (const lock of [false, true]) {
    const store = memoryStore({ lock });
    const encryptionKey = crypto.getRandomValues(new Uint8Array(32));
    const isolate = (more = {}) => api.fromRolesAnywhere(init("P-256", { clock, durationSeconds: 3600, cache: { store, encryptionKey, coldSpreadMilliseconds: 0 }, ...more }));
    const before = (await counts()).sessions;
    const first = await isolate()();
    const second = await isolate()();
    equal([second, (await counts()).sessions - before], [first, 1]);
    ok(second.expiration instanceof Date);
    const [[name, entry]] = store.entries;
    ok(/^[0-9a-f]{64}$/.test(name) && entry[0] === 1);
    const text = new TextDecoder("latin1").decode(entry);
    ok(!text.includes(first.secretAccessKey) && !text.includes(first.accessKeyId));
    // Another role, another key, an entry moved or damaged: not used, and no error.
    const others = [
      isolate({ roleSessionName: undefined, durationSeconds: 1800 }),
      isolate({ cache: { store, encryptionKey: crypto.getRandomValues(new Uint8Array(32)), coldSpreadMilliseconds: 0 } }),
    ];
    for (const other of others) ok((await other()).accessKeyId !== first.accessKeyId);
    equal((await counts()).sessions - before, 3);
    const moved = memoryStore();
    moved.load = async () => entry;
    const elsewhere = isolate({ durationSeconds: 2700, cache: { store: moved, encryptionKey, coldSpreadMilliseconds: 0 } });
    ok((await elsewhere()).accessKeyId !== first.accessKeyId, "an entry was taken from under another name");
    // Near its end a stored session is renewed.
    await advance(3600 - 60);
    const later = (await counts()).sessions;
    const third = await isolate()();
    ok(third.accessKeyId !== first.accessKeyId);
    equal((await counts()).sessions - later, 1);
    await rewind();
  }
});

suite.test("with a lock one isolate renews and the others wait for it", async ({ api, init, counts }) => {
  const store = memoryStore({ lock: true });
  const encryptionKey = crypto.getRandomValues(new Uint8Array(32));
  const before = (await counts()).sessions;
  const all = await Promise.all(Array.from({ length: 30 }, () => api.fromRolesAnywhere(init("P-256", { cache: { store, encryptionKey } }))()));
  equal([new Set(all.map(({ accessKeyId }) => accessKeyId)).size, (await counts()).sessions - before], [1, 1]);
});

suite.test("a store that fails costs nothing but its use", async ({ api, init }) => {
  const warnings = [];
  const down = async () => { throw new Error("store is down"); };
  const encryptionKey = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  for (const store of [{ load: down, store: down }, { load: down, store: down, lock: down }]) {
    const provider = api.fromRolesAnywhere(init("P-256", { cache: { store, encryptionKey, coldSpreadMilliseconds: 0 }, logger: { warn: (line) => warnings.push(line) } }));
    ok((await provider()).accessKeyId);
  }
  ok(warnings.length >= 4 && warnings.every((line) => line.includes("store is down")));
  equal((await thrown(() => api.fromRolesAnywhere(init("P-256", { cache: { store: memoryStore(), encryptionKey: "text" } })))).code, "invalid_input");
});

// ---- requests to other services

suite.test("AwsClient signs, retries and streams", async (context) => {
  const { api, init, fixture } = context;
  const credentials = api.fromRolesAnywhere(init("P-256"));
  const client = new api.AwsClient({ credentials, region: fixture.region, service: "sts" });
  const query = "Action=GetCallerIdentity&Version=2011-06-15";
  const response = await client.fetch(`${fixture.origin}/?${query}`);
  ok(response.ok && (await response.text()).includes("assumed-role/app/"));
  const form = await client.fetch(`${fixture.origin}/`, { method: "POST", body: new URLSearchParams(query) });
  equal(form.status, 200, await form.text());
  const request = await client.sign(new Request(`${fixture.origin}/?${query}`, { headers: { "x-own": "1" } }));
  ok(request.headers.get("authorization").includes("x-own") && request.headers.get("x-amz-security-token") !== null);
  equal((await fetch(request)).status, 200);

  const posted = new Request(`${fixture.origin}/`, { method: "POST", body: query, headers: { "content-type": "application/x-www-form-urlencoded" } });
  const answer = await client.fetch(posted);
  equal(answer.status, 200, await answer.text());
  equal((await thrown(() => client.fetch("relative"))).code, "invalid_input");

  const seen = [];
  const fake = async (url, { headers, body }) => {
    seen.push({ url, headers, body });
    return new Response("", { status: seen.length < 3 ? 503 : 200 });
  };
  const s3 = new api.AwsClient({ credentials, fetch: fake });
  equal((await s3.fetch("https://bucket.s3.eu-west-1.amazonaws.com/a%20b/c", { method: "PUT", body: "hello" })).status, 200);
  equal(seen.length, 3);
  ok(seen[0].headers.get("authorization").includes("/eu-west-1/s3/aws4_request"));
  equal(seen[0].headers.get("x-amz-content-sha256"), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  const stream = () => new ReadableStream({ start: (controller) => { controller.enqueue(Uint8Array.of(1)); controller.close(); } });
  const url = "https://bucket.s3.eu-west-1.amazonaws.com/key";
  const streamed = await api.signRequest(url, { method: "PUT", body: stream(), credentials });
  equal(streamed.headers.get("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  const hashed = await api.signRequest(url, { method: "PUT", body: stream(), credentials, payloadSha256: "00".repeat(32) });
  equal(hashed.headers.get("x-amz-content-sha256"), "00".repeat(32));
  const presigned = await api.signRequest(url, { credentials, presign: { expiresInSeconds: 60 } });
  const parameters = new URL(presigned.url).searchParams;
  equal([parameters.get("X-Amz-Expires"), parameters.get("X-Amz-SignedHeaders"), parameters.has("X-Amz-Signature")], ["60", "host", true]);
  const code = async (...call) => (await thrown(() => api.signRequest(...call))).code;
  equal(await code("https://sts.eu-west-1.amazonaws.com", { method: "POST", body: stream(), credentials }), "invalid_input");
  equal(await code("http://bucket.s3.amazonaws.com/", { method: "PUT", body: stream(), credentials }), "invalid_input");
  equal(await code("https://example.com/", { credentials }), "invalid_input");
  equal(await code(url, { credentials, presign: { expiresInSeconds: 0 } }), "invalid_input");
  equal(await code(url, {}), "invalid_input");
});

suite.test("service and region by the host's name", async ({ api }) => {
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
  for (const [host, scope] of [
    ["sts.amazonaws.com", "us-east-1/sts"],
    ["sts.eu-central-1.amazonaws.com", "eu-central-1/sts"],
    ["bucket.s3.amazonaws.com", "us-east-1/s3"],
    ["my.bucket.s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1/s3"],
    ["s3-us-west-2.amazonaws.com", "us-west-2/s3"],
    ["abc123.execute-api.ap-southeast-2.amazonaws.com", "ap-southeast-2/execute-api"],
    ["dynamodb.cn-north-1.amazonaws.com.cn", "cn-north-1/dynamodb"],
    ["email.us-gov-west-1.amazonaws.com", "us-gov-west-1/ses"],
    ["kms-fips.us-east-1.amazonaws.com", "us-east-1/kms"],
    ["abc.lambda-url.eu-west-1.on.aws", "eu-west-1/lambda"],
  ]) {
    const { headers } = await api.signRequest(`https://${host}/`, { credentials });
    ok(headers.get("authorization").includes(`/${scope}/aws4_request`), `${host}: ${headers.get("authorization")}`);
  }
});
