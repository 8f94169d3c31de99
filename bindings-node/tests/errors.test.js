// Every kind of error, of a real cause each.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import test, { after } from "node:test";
import { readFileSync } from "node:fs";

import { ERROR_CODES, RolesAnywhereError, createSession, fromRolesAnywhere, isRolesAnywhereError } from "../js/index.js";
import { laboratory } from "./context.js";

const place = await laboratory();
const { fixture, init } = place;

/** A server that gives the same answer to all. */
async function answering(status, headers, body) {
  const server = createServer((request, response) => response.writeHead(status, headers).end(body));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

const { containers } = fixture.identities["P-256"];
const ed25519 = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n"; // RFC 8410, 10.3
const CAUSES = {
  access_denied: { roleArn: "arn:aws:iam::123456789012:role/other" },
  invalid_certificate: { certificate: Buffer.from("no certificate") },
  invalid_input: { durationSeconds: 1 },
  invalid_key: { privateKey: Buffer.from("no key") },
  invalid_response: { endpoint: await answering(200, { "content-type": "text/html" }, "<html>") },
  key_mismatch: { privateKey: fixture.stranger.privateKey },
  password_required: { privateKey: containers.encrypted },
  request_rejected: { endpoint: `${place.origin}/nowhere` },
  service_unavailable: { endpoint: await answering(503, {}, "{}"), maxAttempts: 1 },
  signing_failed: { privateKey: undefined, signer: () => { throw new Error("the token is locked"); } },
  throttled: { endpoint: await answering(429, { "retry-after": "30" }, '{"message":"Rate exceeded"}') },
  transport_failed: { endpoint: "http://127.0.0.1:1", maxAttempts: 1 },
  unsupported: { privateKey: ed25519 },
  wrong_password: { privateKey: containers.encrypted, password: "wrong" },
};

test("every code has its cause here, and is in the vectors", () => {
  const vectors = JSON.parse(readFileSync(new URL("../../tests/vectors/errors.json", import.meta.url), "utf8"));
  assert.deepEqual(Object.keys(CAUSES), vectors.map(({ code }) => code));
  assert.deepEqual([...ERROR_CODES], Object.keys(CAUSES));
});

for (const [code, cause] of Object.entries(CAUSES)) {
  test(`${code}, from a call and from the provider`, async () => {
    for (const act of [() => createSession(init(cause)), fromRolesAnywhere(init(cause))]) {
      await assert.rejects(act(), (error) => {
        assert.ok(error instanceof RolesAnywhereError && isRolesAnywhereError(error, code), error.stack);
        assert.equal(error.name, "RolesAnywhereError");
        assert.equal(error.retryable, ["service_unavailable", "throttled", "transport_failed"].includes(code));
        assert.match(error.message, /^[a-z`A-Z][^]*[^.]$/);
        if (code === "throttled") assert.equal(error.retryAfter, 30);
        if (code === "access_denied") assert.deepEqual([error.status, error.serviceCode], [403, "AccessDeniedException"]);
        const all = `${error.stack}${JSON.stringify(error)}`;
        for (const secret of [fixture.identities["P-256"].privateKey, "wrong"]) {
          if (secret !== "wrong" || code !== "wrong_password") assert.ok(!all.includes(secret));
        }
        return true;
      });
    }
  });
}

test("arguments of another type are refused as such", async () => {
  const wrongs = [
    { region: 7 },
    { endpoint: {} },
    { roleSessionName: 7 },
    { durationSeconds: "900" },
    { instanceProperties: { a: 7 } },
    { fips: "yes" },
  ];
  for (const wrong of wrongs) {
    await assert.rejects(createSession(init(wrong)), (error) => isRolesAnywhereError(error, "invalid_input"));
    assert.throws(() => fromRolesAnywhere(init(wrong)), (error) => isRolesAnywhereError(error, "invalid_input"));
  }
});
