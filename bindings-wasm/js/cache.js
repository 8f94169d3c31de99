// Sessions that many isolates share: what is stored, who renews and when, and the stores.
//
// The rules, which `tests/simulation.js` plays through with thousands of isolates:
//
// 1. Whoever has no session, or one that is due, looks into the store first.
// 2. A store with a lock (a Durable Object): one isolate calls CreateSession, the others go on with
//    what they have, or wait and look again where they have nothing.
// 3. A store without one (Workers KV, the Cache API), while the old session is still good: each isolate
//    draws its own moment, `mandatory - propagation * E` with E exponential, between the session's
//    background and mandatory windows. Among n isolates the first moment comes `propagation * ln n`
//    early, and by the time that its session is seen by all, e of them on average have had their
//    moment, however large n is.
// 4. The same with a cold store, on the scale of `coldSpreadMilliseconds`.

import { bytesOrNothing, concat, sha256, hex, utf8 } from "./bytes.js";
import { invalidInput } from "./errors.js";

/** How long a lock is held at most, in seconds: its holder may have died. */
export const LOCK_SECONDS = 30;
// How often those who wait for another's session look for it, in milliseconds; up to twice that, at
// random.
const LOOK_MILLISECONDS = 150;
/** How often an isolate whose moment has not come looks whether another has renewed, in seconds. */
export const LOOK_AGAIN_SECONDS = 20;
const FORMAT = 1;
const IV_LENGTH = 12;

/** The user's cache options, checked; nothing is imported or drawn yet, which workers forbid at start. */
export function sharedSessions(options) {
  if (options === null || typeof options !== "object" || typeof options.store?.load !== "function" || typeof options.store?.store !== "function") {
    throw invalidInput("`cache` has no store: pass `{ store, encryptionKey }`, the store from `workersKv`, `durableObject` or `cacheApi`, or your own `{ load, store }`");
  }
  const { store, encryptionKey, propagationSeconds = 60, coldSpreadMilliseconds = 1000 } = options;
  if (!(propagationSeconds >= 0) || !(coldSpreadMilliseconds >= 0)) {
    throw invalidInput("`propagationSeconds` and `coldSpreadMilliseconds` are 0 or more");
  }
  const raw = bytesOrNothing(encryptionKey);
  const isKey = Object.prototype.toString.call(encryptionKey) === "[object CryptoKey]";
  if (raw === undefined ? !isKey : typeof encryptionKey === "string" || raw.length !== 32) {
    throw invalidInput("`cache.encryptionKey` is neither 32 bytes nor a CryptoKey for AES-GCM: pass `crypto.getRandomValues(new Uint8Array(32))` of a secret store");
  }
  if (isKey && (encryptionKey.algorithm.name !== "AES-GCM" || !["encrypt", "decrypt"].every((usage) => encryptionKey.usages.includes(usage)))) {
    throw invalidInput("`cache.encryptionKey` is a CryptoKey that is not AES-GCM with the usages `encrypt` and `decrypt`");
  }
  let key = isKey ? encryptionKey : undefined;
  const cryptoKey = async () => (key ??= await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]));
  return { store, cryptoKey, propagationSeconds, coldSpreadMilliseconds, LOOK_MILLISECONDS };
}

/** What a session is stored under: parameters and certificate, hashed. Nothing can be read from it. */
export async function sessionKey(parameters, chain) {
  return hex(await sha256(utf8(JSON.stringify([FORMAT, parameters, chain.fingerprintSha256]))));
}

/** An entry: a byte that tells the form, the IV, and AES-GCM over JSON, bound to the key that it is under. */
export async function seal(cryptoKey, name, session) {
  const iv = crypto.getRandomValues(new Uint8Array(IV_LENGTH));
  const clear = utf8(JSON.stringify(session));
  try {
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: aad(name) }, cryptoKey, clear);
    return concat(Uint8Array.of(FORMAT), iv, new Uint8Array(sealed));
  } finally {
    clear.fill(0);
  }
}

/** The session of an entry; nothing when it is of another form, key or place, or damaged. */
export async function open(cryptoKey, name, entry) {
  if (entry[0] !== FORMAT || entry.length <= 1 + IV_LENGTH) return undefined;
  const parameters = { name: "AES-GCM", iv: entry.subarray(1, 1 + IV_LENGTH), additionalData: aad(name) };
  try {
    const clear = new Uint8Array(await crypto.subtle.decrypt(parameters, cryptoKey, entry.subarray(1 + IV_LENGTH)));
    const session = JSON.parse(new TextDecoder().decode(clear));
    clear.fill(0);
    const texts = [session.accessKeyId, session.secretAccessKey, session.sessionToken];
    const times = [session.issuedAt, session.expiration];
    const usable = texts.every((text) => typeof text === "string" && text !== "") && times.every(Number.isSafeInteger);
    return usable ? session : undefined;
  } catch {
    return undefined;
  }
}

const aad = (name) => utf8(`rolesanywhere session ${FORMAT} ${name}`);

/** A number that is 1 on average, as often above ln 2 as below: what spreads isolates (rule 3). */
export const exponential = () => -Math.log(1 - Math.random());

// ---- stores

/** Workers KV: eventual consistency, no lock. */
export function workersKv(namespace, { prefix = "rolesanywhere/" } = {}) {
  return {
    async load(key) {
      const found = await namespace.get(prefix + key, { type: "arrayBuffer" });
      return found === null ? undefined : new Uint8Array(found);
    },
    async store(key, value, ttlSeconds) {
      const MINIMUM_SECONDS = 60; // KV refuses less
      await namespace.put(prefix + key, value, { expirationTtl: Math.max(MINIMUM_SECONDS, ttlSeconds) });
    },
  };
}

/** The Cache API: one data centre, or one browser; no lock. */
export function cacheApi(cache, { origin = "https://rolesanywhere.invalid" } = {}) {
  const url = (key) => `${origin}/sessions/${key}`;
  // `caches.open(…)` is a promise, and workers have no `caches` before the first request.
  const opened = async () => (typeof cache === "function" ? cache() : cache);
  return {
    async load(key) {
      const found = await (await opened()).match(url(key));
      return found === undefined ? undefined : new Uint8Array(await found.arrayBuffer());
    },
    async store(key, value, ttlSeconds) {
      const headers = { "cache-control": `max-age=${ttlSeconds}`, "content-type": "application/octet-stream" };
      await (await opened()).put(url(key), new Response(value, { headers }));
    },
  };
}

/** A Durable Object of the class `SessionCacheObject`: one per session, with a lock. */
export function durableObject(namespace) {
  const ask = (key, method, path, init) => {
    const stub = namespace.get(namespace.idFromName(key));
    return stub.fetch(`https://session${path}`, { method, ...init });
  };
  return {
    async load(key) {
      const found = await ask(key, "GET", "/");
      return found.status === 200 ? new Uint8Array(await found.arrayBuffer()) : undefined;
    },
    async store(key, value, ttlSeconds) {
      const stored = await ask(key, "PUT", `/?seconds=${ttlSeconds}`, { body: value });
      if (!stored.ok) throw new Error(`the Durable Object answered ${stored.status}`);
    },
    async lock(key, seconds) {
      const answer = await ask(key, "POST", `/lock?seconds=${seconds}`);
      const token = await answer.text();
      if (answer.status !== 200) return undefined;
      return async () => {
        await ask(key, "DELETE", `/lock?token=${token}`);
      };
    },
  };
}

/** The Durable Object behind `durableObject`; export it from the worker. What it stores is encrypted. */
export class SessionCacheObject {
  constructor(state) {
    this.storage = state.storage;
  }

  async fetch(request) {
    const url = new URL(request.url);
    const seconds = Number(url.searchParams.get("seconds"));
    const now = Date.now();
    switch (`${request.method} ${url.pathname}`) {
      case "GET /": {
        const entry = await this.storage.get("entry");
        return entry !== undefined && entry.until > now ? new Response(entry.value) : new Response(null, { status: 404 });
      }
      case "PUT /": {
        const value = new Uint8Array(await request.arrayBuffer());
        await this.storage.put("entry", { value, until: now + seconds * 1000 });
        await this.storage.setAlarm(now + seconds * 1000);
        return new Response(null, { status: 204 });
      }
      case "POST /lock": {
        // No other request runs between reading and writing (input gates).
        const lock = await this.storage.get("lock");
        if (lock !== undefined && lock.until > now) return new Response(null, { status: 409 });
        const token = crypto.randomUUID();
        await this.storage.put("lock", { token, until: now + seconds * 1000 });
        return new Response(token);
      }
      case "DELETE /lock": {
        const lock = await this.storage.get("lock");
        if (lock?.token === url.searchParams.get("token")) await this.storage.delete("lock");
        return new Response(null, { status: 204 });
      }
      default:
        return new Response(null, { status: 404 });
    }
  }

  /** The session has expired. */
  async alarm() {
    await this.storage.deleteAll();
  }
}
