// Isolates that share sessions.

import { equal, ok, thrown } from "../assert.js";
import { caller } from "./common.js";

export default function cases(suite) {
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
      ok(/^[0-9a-f]{64}$/.test(name) && entry[0] === 2);
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
    equal(warnings.length, 2); // one each: the store is then left alone
    ok(warnings.every((line) => line.includes("store is down")));
    equal((await thrown(() => api.fromRolesAnywhere(init("P-256", { cache: { store: memoryStore(), encryptionKey: "text" } })))).code, "invalid_input");
  });
}
