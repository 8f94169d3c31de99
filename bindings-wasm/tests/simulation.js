// Thousands of isolates on a virtual clock share sessions through a store that is as slow to agree as
// Workers KV, or that has a lock: how many sessions are created? `node tests/simulation.js`

import { fromRolesAnywhere } from "../js/entry/node.js";
import { equal, ok } from "./assert.js";
import { Authority } from "./pki.js";

const ARN = "arn:aws:rolesanywhere:eu-west-1:123456789012";
const arns = { trustAnchorArn: `${ARN}:trust-anchor/a`, profileArn: `${ARN}:profile/p`, roleArn: "arn:aws:iam::123456789012:role/r" };
const { certificate, privateKey: pem } = new Authority().identity("P-256");
const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
const privateKey = await crypto.subtle.importKey("pkcs8", der, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
const encryptionKey = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
const LIFETIME = 3600;
const START = Date.parse("2026-11-22T00:00:00Z");

/** Time that passes when everything else has settled. */
class World {
  now = START;
  #queue = [];

  at(when, act) {
    // A binary heap would be faster; sorted insertion by bisection does.
    let [low, high] = [0, this.#queue.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#queue[middle].when > when) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, { when, act });
  }

  #renewals = 0;
  #asleep = 0;

  sleep = async (milliseconds) => {
    this.#asleep += 1;
    await new Promise((done) => this.at(this.now + milliseconds, done));
    this.#asleep -= 1;
  };

  /** A renewal under way, whoever waits for it. */
  renewal = (promise) => {
    this.#renewals += 1;
    promise.then(() => (this.#renewals -= 1));
  };

  async run(until) {
    while (this.#queue.length > 0 && this.#queue.at(-1).when <= until) {
      const { when, act } = this.#queue.pop();
      this.now = Math.max(this.now, when);
      act();
      await null;
      // WebCrypto works on other threads: no time passes before every renewal has ended or sleeps.
      while (this.#renewals > this.#asleep) await new Promise((done) => setImmediate(done));
    }
    this.now = Math.max(this.now, until);
  }
}

/** Each isolate sees what another stored after up to `propagation` seconds, as with Workers KV. */
function slowStore(world, propagation) {
  const writes = [];
  return () => {
    const lag = Math.random() * propagation * 1000; // an isolate's place in the world
    return {
      async load(key) {
        const seen = writes.filter((write) => write.key === key && (write.by === lag || write.when + lag <= world.now));
        return seen.at(-1)?.value;
      },
      async store(key, value) {
        writes.push({ key, value, when: world.now, by: lag });
      },
    };
  };
}

function lockedStore(world) {
  const entries = new Map();
  const locks = new Map();
  const store = {
    load: async (key) => entries.get(key),
    store: async (key, value) => void entries.set(key, value),
    async lock(key, seconds) {
      if ((locks.get(key) ?? 0) > world.now) return undefined;
      locks.set(key, world.now + seconds * 1000);
      return async () => void locks.delete(key);
    },
  };
  return () => store;
}

async function simulate({ isolates, hours, meanSeconds, makeStore, propagationSeconds, startSeconds = 60 }) {
  const world = new World();
  const created = [];
  const storeOf = makeStore(world);
  async function service() {
    created.push(world.now);
    await world.sleep(80);
    const expiration = new Date(world.now + LIFETIME * 1000).toISOString();
    const credentials = { accessKeyId: `ASIA${created.length}`, secretAccessKey: "s", sessionToken: "t", expiration };
    return new Response(JSON.stringify({ credentialSet: [{ credentials }] }), { status: 201 });
  }
  let served = 0;
  let failures = 0;
  for (let number = 0; number < isolates; number += 1) {
    const provider = fromRolesAnywhere({
      ...arns, certificate, privateKey, fetch: service, clock: () => world.now, sleep: world.sleep, waitUntil: world.renewal,
      cache: { store: storeOf(), encryptionKey, propagationSeconds },
    });
    const use = () => {
      world.at(world.now - Math.log(1 - Math.random()) * meanSeconds * 1000, use);
      provider().then(
        ({ expiration }) => { served += 1; failures += expiration.getTime() <= world.now ? 1 : 0; },
        () => { failures += 1; },
      );
    };
    world.at(START + Math.random() * startSeconds * 1000, use); // a deployment: all start
  }
  await world.run(START + hours * 3600_000);
  const cold = created.filter((when) => when < START + 120_000).length;
  return { served, failures, cold, renewals: created.length - cold };
}

const isolates = Number(process.env.ISOLATES ?? 2000);
const common = { isolates, hours: 3.5, meanSeconds: 200 };
for (const [name, options, check] of [
  // Three and a half hours of sessions of one: the first, then a renewal for each.
  ["a store with a lock", { ...common, makeStore: lockedStore, propagationSeconds: 0 }, ({ cold, renewals }) => { equal(cold, 1); ok(renewals >= 3 && renewals <= 5, `${renewals} renewals`); }],
  ["a store like Workers KV", { ...common, makeStore: (world) => slowStore(world, 60), propagationSeconds: 60 }, ({ renewals }) => { ok(renewals >= 3 && renewals <= 5 * 12, `${renewals} renewals`); }],
  // One data centre: seen within a tenth of a second, and all isolates start in one.
  ["a store like the Cache API", { ...common, makeStore: (world) => slowStore(world, 0.1), propagationSeconds: 0.1, startSeconds: 1 }, ({ cold, renewals }) => { ok(cold <= 40, `${cold} sessions at the cold start`); ok(renewals >= 3 && renewals <= 5 * 12, `${renewals} renewals`); }],
]) {
  const started = Date.now();
  const result = await simulate(options);
  console.log(`${name}: ${isolates} isolates, ${result.served} uses in ${common.hours} hours, ${result.cold} sessions at the cold start, ${result.renewals} after (${Date.now() - started} ms)`);
  equal(result.failures, 0);
  check(result);
}
process.exit(0); // timers of renewals that were joined
