// Worker threads: each has an addon of its own, which comes and goes with it.

import assert from "node:assert/strict";
import test from "node:test";
import { Worker } from "node:worker_threads";

import { fromRolesAnywhere } from "../js/index.js";
import { BACKEND, laboratory, openssl } from "./context.js";

const place = await laboratory();
const PROGRAM = `
import { parentPort, workerData } from "node:worker_threads";
const { backend, createSession, fromRolesAnywhere } = await import(workerData.package);
const provider = fromRolesAnywhere(workerData.init);
const keys = new Set();
for (let round = 0; round < workerData.rounds; round += 1) keys.add((await provider({ forceRefresh: true })).accessKeyId);
const refused = await createSession({ ...workerData.init, roleArn: "arn:aws:iam::123456789012:role/other" }).catch((error) => error);
parentPort.postMessage({ keys: [...keys], code: refused.code, ...(await backend()) });
if (workerData.linger) await provider({ forceRefresh: true });
`;
const worker = (init, more = {}) =>
  new Worker(new URL(`data:text/javascript,${encodeURIComponent(PROGRAM)}`), {
    workerData: { package: new URL("../js/index.js", import.meta.url).href, init, rounds: 5, ...more },
  });
const outcome = (thread) =>
  new Promise((done, fail) => {
    let message;
    thread.on("message", (value) => (message = value));
    thread.on("error", fail);
    thread.on("exit", (code) => (code === 0 ? done(message) : fail(new Error(`a thread ended with ${code}`))));
  });

test("eight threads at once, and the main one beside them", async () => {
  const kinds = ["RSA-2048", "P-256", "P-384", "P-521"];
  const threads = Array.from({ length: 8 }, (_, at) => outcome(worker(place.init({}, kinds[at % kinds.length]))));
  const main = fromRolesAnywhere(place.init());
  const own = await main();
  const outcomes = await Promise.all(threads);
  assert.ok(outcomes.every(({ kind, code }) => kind === BACKEND && code === "access_denied"));
  const keys = outcomes.flatMap((one) => one.keys);
  assert.equal(new Set([...keys, own.accessKeyId]).size, 8 * 5 + 1);
  assert.equal(await main(), own);
});

test("a thread that is ended in the middle of its work takes nothing with it", async () => {
  const line = ["pkcs8", "-topk8", "-scrypt", "-scrypt_N", "16384", "-scrypt_r", "8", "-scrypt_p", "8", "-passout", "pass:secret"];
  const privateKey = openssl(line, place.fixture.identities["P-256"].privateKey).toString();
  for (let round = 0; round < 6; round += 1) {
    const thread = worker(place.init({ privateKey, password: "secret" }), { rounds: 0 });
    // At another moment each time: while it starts, reads the key, signs.
    await new Promise((done) => setTimeout(done, 40 * round));
    await thread.terminate();
  }
  assert.equal((await outcome(worker(place.init()))).keys.length, 5);
  assert.ok((await fromRolesAnywhere(place.init())()).accessKeyId);
});

test("what a thread leaves behind is collected: twenty, one after the other", async () => {
  await outcome(worker(place.init(), { rounds: 1 }));
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 20; round += 1) await outcome(worker(place.init(), { rounds: 1 }));
  const grown = (process.memoryUsage().rss - before) / (1 << 20);
  assert.ok(grown < 40, `the process grew by ${grown} MiB`);
});
