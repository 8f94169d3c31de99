// What fails around the service: the host's own work, clocks, stores, the way to the endpoint.

import { equal, ok, thrown } from "../assert.js";

const never = () => new Promise(() => {});
const json = { "content-type": "application/json" };

/** A service's answer with credentials that end in so many seconds, by `now`. */
function session(name, seconds, now = Date.now()) {
  const expiration = new Date(now + seconds * 1000).toISOString();
  const credentials = { accessKeyId: name, secretAccessKey: "secret", sessionToken: "token", expiration };
  return new Response(JSON.stringify({ credentialSet: [{ credentials }] }), { status: 201, headers: json });
}

/** Timers that run `factor` times as fast while `act` does, and a clock that agrees with them. */
async function faster(factor, act) {
  const { setTimeout: plain } = globalThis;
  const begun = Date.now();
  globalThis.setTimeout = (after, milliseconds, ...rest) => plain(after, milliseconds / factor, ...rest);
  try {
    return await act(() => begun + (Date.now() - begun) * factor);
  } finally {
    globalThis.setTimeout = plain;
  }
}

export default function cases(suite) {
  suite.test("what hangs is named: the signer, the identity's function", async ({ api, init }) => {
    const asked = [];
    const errors = await faster(20, (clock) => {
      const options = { clock, fetch: () => { asked.push("service"); return never(); } };
      const signer = init("P-256", { ...options, privateKey: undefined, signer: () => never() });
      const identity = init("P-256", { ...options, certificate: undefined, privateKey: undefined, identity: never });
      const providers = [signer, identity].map((given) => api.fromRolesAnywhere(given));
      // Those who wait for another's renewal hear the same.
      return Promise.all(providers.flatMap((provider) => [thrown(provider), thrown(provider)]));
    });
    equal(errors.map(({ code }) => code), ["signing_failed", "signing_failed", "invalid_input", "invalid_input"]);
    ok(errors.slice(0, 2).every(({ message }) => message.includes("the signer did not sign within")), errors[0].message);
    ok(errors.slice(2).every(({ message }) => message.includes("the identity was not loaded within")), errors[2].message);
    equal([asked, new Set(errors).size], [[], 4]);
  });

  suite.test("a renewal whose request has vanished is taken up by another caller", async ({ api, init }) => {
    let calls = 0;
    const credentials = await faster(100, async (clock) => {
      const provider = api.fromRolesAnywhere(init("P-256", { clock, fetch: () => { calls += 1; return calls === 1 ? never() : session("ASIASECOND", 3600, clock()); } }));
      // As when a worker's request is cancelled: nothing of it settles any more, its timers included.
      const { setTimeout: running } = globalThis;
      globalThis.setTimeout = () => undefined;
      provider();
      while (calls === 0) await new Promise((done) => running(done, 100));
      globalThis.setTimeout = running;
      return provider();
    });
    equal([credentials.accessKeyId, calls], ["ASIASECOND", 2]);
  });

  suite.test("an answer that drips is given up in its time", async ({ api, init }) => {
    let timer;
    const body = new ReadableStream({
      start: (controller) => { timer = setInterval(() => controller.enqueue(new TextEncoder().encode(" ")), 20); },
      cancel: () => clearInterval(timer),
    });
    const fetch = async () => new Response(body, { status: 201, headers: json });
    const error = await thrown(() => api.createSession(init("P-256", { fetch, maxAttempts: 1, timeoutMilliseconds: 300 })));
    clearInterval(timer);
    equal(error.code, "transport_failed");
    ok(error.message.includes("within 0.3 s"), error.message);
  });

  suite.test("many callers while nothing answers: one renewal, an error for each", async ({ api, init }) => {
    let calls = 0;
    const fetch = () => { calls += 1; return never(); };
    const provider = api.fromRolesAnywhere(init("P-256", { fetch, maxAttempts: 2, timeoutMilliseconds: 200 }));
    const errors = await Promise.all(Array.from({ length: 50 }, () => thrown(provider)));
    equal([calls, new Set(errors).size], [2, 50]);
    ok(errors.every(({ code, message }) => code === "transport_failed" && message.includes("(2 attempts)")), errors[0].message);
    equal([(await thrown(provider)).code, calls], ["transport_failed", 2]);
  });

  suite.test("while nothing answers, credentials are used until they end", async ({ api, init }) => {
    let now = Date.now();
    let calls = 0;
    const provider = api.fromRolesAnywhere(init("P-256", {
      clock: () => now, sleep: async (milliseconds) => { now += milliseconds; }, maxAttempts: 3,
      // The time of an attempt passes before it fails.
      fetch: async () => { calls += 1; if (calls === 1) return session("ASIAFIRST", 3600, now); now += 9_900; throw new TypeError("fetch failed"); },
    }));
    const first = await provider();
    const end = first.expiration.getTime();
    for (now += 3300_000; now < end - 30_000; now += 10_000) {
      const used = await provider();
      ok(used === first || now >= end);
    }
    ok(calls > 1);
    now = end;
    equal((await thrown(provider)).code, "transport_failed");
  });

  suite.test("plain HTTP to another machine is refused before anything is sent", async ({ api, init }) => {
    let calls = 0;
    const fetch = () => { calls += 1; return session("ASIA", 3600); };
    for (const endpoint of ["http://rolesanywhere.example", "http://10.0.0.1:8080", "http://127.example.com"]) {
      const error = await thrown(api.fromRolesAnywhere(init("P-256", { endpoint, fetch })));
      equal([error.code, calls], ["invalid_input", 0]);
      ok(error.message.includes("in the clear") && error.message.includes("https://"), error.message);
    }
    for (const endpoint of ["http://localhost:1", "http://[::1]:1", "https://rolesanywhere.example"]) {
      equal((await api.fromRolesAnywhere(init("P-256", { endpoint, fetch }))()).accessKeyId, "ASIA");
    }
  });

  suite.test("an answer that has ended is an error, and replaces nothing", async ({ api, init }) => {
    const answers = [() => session("ASIAGOOD", 3600), () => session("ASIAENDED", -60)];
    const warnings = [];
    const fetch = async () => answers[Math.min(calls++, 1)]();
    let calls = 0;
    const provider = api.fromRolesAnywhere(init("P-256", { fetch, logger: { warn: (line) => warnings.push(line) } }));
    const good = await provider();
    ok((await provider({ forceRefresh: true })) === good);
    equal(calls, 2);
    ok(warnings.some((line) => line.includes("had ended")), warnings.join("\n"));
    const error = await thrown(() => api.createSession(init("P-256", { fetch })));
    equal(error.code, "invalid_response");
  });

  suite.test("two refreshes at once are one renewal, which both wait for", async ({ api, init }) => {
    let calls = 0;
    const fetch = async () => session(`ASIA${(calls += 1)}`, 3600);
    const provider = api.fromRolesAnywhere(init("P-256", { fetch }));
    const first = await provider();
    const [one, other] = await Promise.all([provider({ forceRefresh: true }), provider({ forceRefresh: true })]);
    ok(one === other && one !== first);
    equal(calls, 2);
  });

  suite.test("a clock that is set back is seen", async ({ api, init }) => {
    const start = Date.now();
    let now = start;
    let calls = 0;
    const provider = api.fromRolesAnywhere(init("P-256", { clock: () => now, fetch: async () => session(`ASIA${(calls += 1)}`, 3600, start) }));
    await provider();
    now += 60_000;
    equal([(await provider()).accessKeyId, calls], ["ASIA1", 1]);
    // Without a monotonic clock nobody knows how much time has passed: the service is asked.
    now -= 1800_000;
    equal([(await provider()).accessKeyId, calls], ["ASIA2", 2]);
  });

  suite.test("with a clock one hour slow, a shared session is renewed before its end", async (context) => {
    const { api, init, counts, clock, advance, rewind } = context;
    const entries = new Map();
    const store = { load: async (key) => entries.get(key), store: async (key, value) => void entries.set(key, value) };
    const cache = { store, encryptionKey: crypto.getRandomValues(new Uint8Array(32)), propagationSeconds: 1, coldSpreadMilliseconds: 0 };
    const isolate = () => api.fromRolesAnywhere(init("P-256", { clock: () => clock() - 3600_000, durationSeconds: 3600, cache }));
    const before = (await counts()).sessions;
    const one = isolate();
    const other = isolate();
    ok((await one()).expiration.getTime() > clock());
    ok((await other()).expiration.getTime() > clock());
    ok((await counts()).sessions - before <= 2);
    await advance(3600 - 60);
    for (const provider of [one, other]) ok((await provider()).expiration.getTime() > clock() + 120_000, "used to the end");
    await rewind();
  });

  suite.test("a store that hangs costs its limit once, and is left alone", async ({ api, init }) => {
    const warnings = [];
    const asked = [];
    const hangs = (what) => () => { asked.push(what); return never(); };
    const encryptionKey = crypto.getRandomValues(new Uint8Array(32));
    const store = { load: hangs("load"), store: hangs("store"), lock: hangs("lock") };
    const provider = api.fromRolesAnywhere(init("P-256", { cache: { store, encryptionKey }, logger: { warn: (line) => warnings.push(line) } }));
    const first = await provider();
    ok((await provider({ forceRefresh: true })).accessKeyId !== first.accessKeyId);
    equal(asked, ["load"]);
    ok(warnings.length === 1 && warnings[0].includes("did not answer in time"), warnings.join("\n"));
  });

  suite.test("a lock that comes too late is given back", async ({ api, init }) => {
    let unlocked = 0;
    let grant;
    const store = {
      load: async () => undefined, store: async () => {},
      lock: () => new Promise((done) => { grant = () => done(async () => { unlocked += 1; }); }),
    };
    const provider = api.fromRolesAnywhere(init("P-256", { cache: { store, encryptionKey: crypto.getRandomValues(new Uint8Array(32)) } }));
    ok((await provider()).accessKeyId);
    grant();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    equal(unlocked, 1);
  });

  suite.test("an entry that cannot be opened is told of, and replaced", async ({ api, init, counts }) => {
    const entries = new Map();
    const store = { load: async (key) => entries.get(key), store: async (key, value) => void entries.set(key, value) };
    const warnings = [];
    const isolate = (encryptionKey) =>
      api.fromRolesAnywhere(init("P-256", { cache: { store, encryptionKey, coldSpreadMilliseconds: 0 }, logger: { warn: (line) => warnings.push(line) } }));
    const key = crypto.getRandomValues(new Uint8Array(32));
    await isolate(crypto.getRandomValues(new Uint8Array(32)))();
    const before = (await counts()).sessions;
    const second = await isolate(key)();
    ok(warnings.some((line) => line.includes("cannot be read")), warnings.join("\n"));
    equal([(await isolate(key)()).accessKeyId, (await counts()).sessions - before], [second.accessKeyId, 1]);
  });

  suite.test("a failure is told to those who share, not repeated by each", async ({ api, init }) => {
    const entries = new Map();
    const store = {
      load: async (key) => entries.get(key), store: async (key, value) => void entries.set(key, value),
      lock: async (key) => { if (entries.has(`lock ${key}`)) return undefined; entries.set(`lock ${key}`, true); return async () => void entries.delete(`lock ${key}`); },
    };
    const cache = { store, encryptionKey: crypto.getRandomValues(new Uint8Array(32)) };
    let calls = 0;
    const fetch = async () => { calls += 1; return new Response('{"message":"no"}', { status: 403, headers: json }); };
    const errors = [];
    for (let isolate = 0; isolate < 5; isolate += 1) errors.push(await thrown(api.fromRolesAnywhere(init("P-256", { cache, fetch }))));
    equal([calls, errors.map(({ code }) => code)], [1, Array(5).fill("access_denied")]);
  });
}
