// Isolates that share sessions.

import { open, seal } from "../../js/cache.js";
import { equal, ok, thrown } from "../assert.js";
import { caller } from "./common.js";

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

export default function cases(suite) {
  suite.test("vectors: the keys of shared sessions", async ({ core, fixture }) => {
    const { sharing, lifecycle } = fixture.vectors;
    // JavaScript has no context: what needs one has another key.
    const given = sharing.keys.filter(({ context }) => context === "");
    ok(given.length >= 6);
    for (const { parameters, certificates, identity, key } of given) {
      const property = "instance_property.";
      const properties = Object.entries(parameters).filter(([name]) => name.startsWith(property));
      const { trust_anchor_arn: anchor, profile_arn: profile, role_arn: role, endpoint, fips, duration_seconds: duration, role_session_name: name, arn_placement: placement } = parameters;
      const call = new core.CreateSession(
        anchor, profile, role, undefined, endpoint, fips === "true", false, duration === undefined ? undefined : Number(duration), name,
        properties.flatMap(([name, value]) => [name.slice(property.length), value]), placement === "body",
      );
      const provider = new core.Provider(call, 1, ...Array(6).fill(undefined), true, 0, 0, identity ?? undefined, undefined, false);
      const now = [Date.now(), Number.NaN];
      equal(provider.ask(...now).kind, "drive");
      if (certificates !== null) {
        const pem = new TextEncoder().encode(lifecycle.certificates[certificates]);
        const { kind, id } = provider.poll(...now);
        equal(kind, "load_identity");
        provider.identityLoaded(...now, id, await core.CertificateChain.read(pem, undefined, undefined));
      }
      let action;
      do action = provider.poll(...now); while (action.kind === "note");
      equal([action.kind, action.key], ["load", key]);
    }
  });

  suite.test("vectors: sealed sessions", async ({ fixture }) => {
    const { sealed } = fixture.vectors.sharing;
    ok(sealed.length >= 4);
    for (const { key, sealing_key: raw, plain, sealed: entry } of sealed) {
      const cryptoKey = await crypto.subtle.importKey("raw", bytes(raw), "AES-GCM", false, ["encrypt", "decrypt"]);
      equal([...(await open(cryptoKey, key, bytes(entry)))], [...bytes(plain)]);
      const again = await seal(cryptoKey, key, bytes(plain));
      equal([again.length, again[0]], [bytes(entry).length, 2]);
      equal([...(await open(cryptoKey, key, again))], [...bytes(plain)]);
      again[again.length - 1] ^= 1;
      equal(await open(cryptoKey, key, again), undefined);
      equal(await open(cryptoKey, "0".repeat(64), bytes(entry)), undefined);
    }
  });

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
