// Keys of every kind, in every form, and signers of the caller's.

import { equal, ok, thrown } from "../assert.js";
import { KINDS, base64, caller, generation, supports } from "./common.js";

export default function cases(suite) {
  for (const kind of KINDS) {
    suite.test(`PEM key: ${kind}`, async (context) => {
      const { api, init, fixture } = context;
      const credentials = await api.fromRolesAnywhere(init(kind))();
      equal(credentials.accountId, fixture.account);
      ok(credentials.expiration instanceof Date && credentials.expiration.getTime() > Date.now());
      ok((await caller(context, credentials)).startsWith(`arn:aws:sts::${fixture.account}:assumed-role/app/`));
    });

    suite.test(`the core's own signer: ${kind}`, async ({ core, fixture }) => {
      const { certificate, privateKey } = fixture.identities[kind];
      const bytes = (text) => new TextEncoder().encode(text);
      const identity = await core.LocalIdentity.read(bytes(certificate), bytes(privateKey), undefined, undefined);
      const { trustAnchorArn, profileArn, roleArn } = fixture.arns;
      const call = new core.CreateSession(trustAnchorArn, profileArn, roleArn, undefined, fixture.origin, false, false, 900, undefined, [], true);
      const request = call.prepare(identity.chain, Math.floor(Date.now() / 1000));
      const headers = [["authorization", request.authorization(await identity.signer().sign(request))]];
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

  suite.test("the longest headers are sent", async ({ api, fixture, init }) => {
    const { accessKeyId } = await api.fromRolesAnywhere(init("P-256", fixture.long))();
    ok(accessKeyId.startsWith("ASIA"));
  });

  suite.test("what cannot be used is refused by name", async ({ api, slim, fixture, init }) => {
    const { stranger, identities } = fixture;
    const text = (content) => new TextEncoder().encode(content);
    const code = async (build, more) => {
      const error = await thrown(() => build.createSession(init("P-256", more)));
      ok(build.isRolesAnywhereError(error), String(error));
      return error.code;
    };
    equal(await code(api, { privateKey: stranger.privateKey }), "key_mismatch");
    equal(await code(slim, { privateKey: stranger.privateKey }), "key_mismatch");
    equal(await code(api, { privateKey: identities["RSA-2048"].privateKey }), "key_mismatch");
    equal(await code(slim, { privateKey: identities["RSA-2048"].privateKey }), "invalid_key");
    equal(await code(api, { certificate: text("no certificate") }), "invalid_certificate");
    equal(await code(api, { privateKey: text("no key") }), "invalid_key");
    equal(await code(slim, { privateKey: text("no key") }), "invalid_key");
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
}
