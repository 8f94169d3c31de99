// Sessions that many isolates share: how an entry is sealed, and the stores. What is stored, under which
// key, who renews and when is the core's.

import { bytesOrNothing, concat, utf8 } from "./bytes.js";
import { invalidInput } from "./errors.js";

const FORMAT = 2; // the first byte of an entry
const NONCE_LENGTH = 12;

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
  return { store, cryptoKey, propagationSeconds, coldSpreadMilliseconds };
}

/** An entry as it is stored: a byte that tells the form, the nonce, and AES-GCM, bound to the key that it is under. */
export async function seal(cryptoKey, name, entry) {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_LENGTH));
  try {
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8(name) }, cryptoKey, entry);
    return concat(Uint8Array.of(FORMAT), iv, new Uint8Array(sealed));
  } finally {
    entry.fill(0);
  }
}

/** The entry; nothing when it is of another form, key or place, or damaged. */
export async function open(cryptoKey, name, sealed) {
  if (sealed[0] !== FORMAT) return undefined;
  const parameters = { name: "AES-GCM", iv: sealed.subarray(1, 1 + NONCE_LENGTH), additionalData: utf8(name) };
  try {
    return new Uint8Array(await crypto.subtle.decrypt(parameters, cryptoKey, sealed.subarray(1 + NONCE_LENGTH)));
  } catch {
    return undefined;
  }
}

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
