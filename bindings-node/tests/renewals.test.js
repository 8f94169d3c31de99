// A long run of renewals on a clock of the test's own: what a server lives through in two weeks.

import { NodeHttpHandler } from "@smithy/node-http-handler";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import https from "node:https";
import test, { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { load } from "../js/core.js";
import { fromRolesAnywhere } from "../js/index.js";
import { laboratory } from "./context.js";

const RENEWALS = 1500;
const MEBIBYTE = 1 << 20;
setFlagsFromString("--expose_gc");
const collect = runInNewContext("gc");
const place = await laboratory();

/** What is held in JavaScript's heap and beside it, and what the process has, when all is collected. */
async function memory() {
  for (let round = 0; round < 5; round += 1) {
    collect();
    await sleep(20); // the addon's objects are freed in the event loop's next turn
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: heapUsed + external, rss };
}

test(`${RENEWALS} renewals, files and all, and nothing grows`, async (context) => {
  const service = await place.tls();
  after(() => service.close());
  let now = Date.now();
  const { certificate, privateKey } = place.fixture.identities["P-256"];
  const ca = readFileSync(service.caFile);
  const provider = fromRolesAnywhere(
    place.init({
      certificate: place.file("client.pem", certificate),
      privateKey: place.file("client.key", privateKey),
      endpoint: service.endpoint,
      requestHandler: new NodeHttpHandler({ httpsAgent: new https.Agent({ ca, keepAlive: true }) }),
      durationSeconds: 900,
      clock: () => now,
    }),
  );
  const seen = new Set();
  const began = performance.now();
  let settled;
  for (let round = 1; round <= RENEWALS; round += 1) {
    const credentials = await provider();
    assert.ok(credentials.expiration.getTime() > now);
    seen.add(credentials.accessKeyId);
    // Many uses between two renewals cost no call.
    for (let use = 0; use < 10; use += 1) assert.equal(await provider(), credentials);
    // On to where callers wait for the renewal.
    now = (await service.ask(`advance ${900 - 140}`)) * 1000;
    if (round === RENEWALS / 3) settled = await memory();
  }
  const grown = (await memory()).held - settled.held;
  assert.equal(seen.size, RENEWALS);
  context.diagnostic(
    `${((performance.now() - began) / RENEWALS).toFixed(1)} ms a renewal with the emulator's part; ` +
      `in the last two thirds the heap grew by ${(grown / MEBIBYTE).toFixed(1)} MiB`,
  );
  // Each renewal handles some 10 kB: a leak of all would be 10 MiB, of the session alone above 2.
  assert.ok(grown < 1.5 * MEBIBYTE, `the heap grew by ${grown} bytes`);
});

test("what the core makes is freed", async (context) => {
  const CYCLES = 400;
  const core = await load();
  const { certificate, privateKey } = place.fixture.identities["P-256"];
  const files = [Buffer.from(certificate), Buffer.from(privateKey), undefined, undefined];
  const { trustAnchorArn, profileArn, roleArn } = place.arns;
  const credentials = {
    accessKeyId: "ASIAIOSFODNN7EXAMPLE",
    secretAccessKey: "x".repeat(40),
    sessionToken: "t".repeat(1000),
    expiration: "2027-01-15T09:00:00Z", // an hour after the clock of the test
  };
  const answer = Buffer.from(JSON.stringify({ credentialSet: [{ credentials }] }));
  const now = 1_800_000_000_000;
  const next = (provider) => {
    for (;;) {
      const action = provider.poll(now, 0);
      if (action.kind !== "note") return action;
    }
  };
  const cycle = async () => {
    const call = new core.CreateSession(trustAnchorArn, profileArn, roleArn, undefined, undefined, false, false, 900, undefined, [], true);
    const identity = await core.LocalIdentity.read(...files);
    const { chain } = identity;
    const provider = new core.Provider(call, 1, ...Array(11).fill(undefined), false);
    assert.equal(provider.ask(now, 0).kind, "drive");
    provider.identityLoaded(now, 0, next(provider).id, chain);
    const { id, request } = next(provider);
    const signature = await identity.signer().sign(request);
    provider.signed(now, 0, id, signature);
    const { id: sent, authorization } = next(provider);
    assert.equal(request.authorization(signature), authorization);
    provider.answered(now, 0, sent, 201, ["content-type", "application/json"], answer);
    assert.equal(provider.session.sessionToken, credentials.sessionToken);
    const refused = new core.Provider(call, 1, ...Array(11).fill(undefined), false);
    refused.ask(now, 0);
    refused.identityFailed(now, 0, next(refused).id, new core.Failure("invalid_key", "no key"), undefined);
    assert.equal(refused.error.code, "invalid_key");
    return authorization;
  };
  // What leaks grows in every window; what the allocator keeps in some.
  const grown = [];
  for (let window = 0, before; window <= 5; window += 1) {
    for (let round = 0; round < CYCLES; round += 1) await cycle();
    const { rss } = await memory();
    if (before !== undefined) grown.push(rss - before);
    before = rss;
  }
  context.diagnostic(`the process grew by ${grown.map((bytes) => (bytes / CYCLES).toFixed(0)).join(", ")} bytes a cycle`);
  // Certificate, request, answer and key of one cycle are some 10 kB.
  assert.ok(Math.min(...grown) < CYCLES * 1000, `the process grew by ${grown} bytes`);
});
