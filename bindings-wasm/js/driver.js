// Carries out what the core's `Provider` says. What to do, when, how often and for how long is decided
// there; here are the host's clocks, timers, `fetch`, identity and store.

import { open, seal } from "./cache.js";
import { failureOf, fromFailure, identityFailures, wrapped } from "./errors.js";
import { send } from "./fetch.js";
import { utf8 } from "./bytes.js";

const LATE = Symbol("late");
const MAX_TIMER = 2 ** 31 - 1; // `setTimeout` takes a longer time for none

/** What `work` brings, or `LATE` when it takes longer than so many milliseconds. */
async function within(work, milliseconds) {
  let timer;
  const late = new Promise((done) => {
    timer = setTimeout(done, Math.min(milliseconds, MAX_TIMER), LATE);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Drives one provider of the core's. `host` is `{ now, identity, fetch, endpoint, sleep, cache, use, note }`:
 * `now` returns the wall clock and the monotonic one, in milliseconds; `use` takes the window in which the
 * session is used without asking.
 */
export class Driver {
  #core;
  #provider;
  #host;
  #turn = 0;
  #bell; // what those who wait are waiting for
  #ring;
  #signer; // the identity that was loaded last
  #request; // { url, headers, body } of what was signed last
  #unlock;
  #thrown; // the error of the host's that was told last

  constructor(core, provider, host) {
    this.#core = core;
    this.#provider = provider;
    this.#host = host;
  }

  /** What a caller is to do: `{ kind, window, duration }`. */
  ask() {
    const advice = this.#provider.ask(...this.#host.now());
    const { kind, window, duration } = advice;
    advice.free?.();
    return { kind, window, duration };
  }

  refresh() {
    this.#provider.refresh(...this.#host.now());
  }

  get session() {
    return this.#provider.session;
  }

  /** Why there are no credentials: an error of its own for each caller. */
  error() {
    const failure = this.#provider.error;
    const { message, cause } = this.#thrown ?? {};
    return fromFailure(failure, cause !== undefined && failure.message.includes(message) ? cause : undefined);
  }

  /** Waits until there are credentials or an error, at most so long. */
  async wait(milliseconds) {
    this.#bell ??= new Promise((done) => (this.#ring = done));
    await within(this.#bell, milliseconds);
  }

  #wake() {
    this.#ring?.();
    this.#bell = this.#ring = undefined;
  }

  /** Drives until there is nothing more to do. One that was driving before is lost: it stops. */
  async drive(logger) {
    const turn = (this.#turn += 1);
    try {
      while (turn === this.#turn) {
        const action = this.#provider.poll(...this.#host.now());
        if (action === undefined) return;
        const { kind } = action;
        if (kind === "note") this.#host.note(action, logger);
        else if (kind === "use" || kind === "fail") {
          if (kind === "use") this.#host.use(action.window);
          this.#wake();
        } else {
          const tell = await this.#carryOut(action);
          if (turn === this.#turn) tell();
        }
        action.free?.();
      }
    } catch (thrown) {
      if (turn === this.#turn) this.#provider.cancelled(...this.#host.now());
      throw thrown;
    } finally {
      this.#wake();
    }
  }

  /** Does what takes time; returns what tells the core how it went. */
  async #carryOut(action) {
    const { kind, id, timeout } = action;
    const tell = (event, ...about) => this.#provider[event](...this.#host.now(), ...about);
    if (kind === "pause") {
      await this.#host.sleep(timeout);
      return () => tell("tick");
    }
    const over = new AbortController();
    const outcome = await within(this[kind](action, over.signal), timeout);
    if (outcome !== LATE) return () => outcome((event, ...about) => tell(event, id, ...about));
    over.abort(new Error("the time for it is over"));
    return () => tell("timedOut", id);
  }

  /** The core's form of what code of the host's or the user's threw. */
  #failure(thrown, code, what) {
    this.#thrown = wrapped(code, what, thrown);
    return failureOf(this.#core, this.#thrown);
  }

  async load_identity() {
    try {
      const identity = await this.#host.identity();
      return (tell) => {
        this.#signer = identity;
        tell("identityLoaded", identity.chain);
      };
    } catch (thrown) {
      const { modified, last } = identityFailures.get(thrown) ?? {};
      return (tell) => {
        this.#signer = last;
        const failure = this.#failure(thrown, "invalid_input", "the identity cannot be read");
        if (last === undefined) tell("identityFailed", failure, modified);
        else tell("identityStale", failure, modified, last.chain);
      };
    }
  }

  async sign({ request }) {
    try {
      const signing = this.#signer.sign(request);
      // While WebCrypto or the user's signer is at work, elsewhere.
      const { url, headers, body } = request;
      const signature = await signing;
      return (tell) => {
        this.#request = { url, headers, body };
        tell("signed", signature);
        signature.free?.();
      };
    } catch (thrown) {
      return (tell) => tell("signFailed", this.#failure(thrown, "signing_failed", "the signer failed"));
    } finally {
      request.free?.();
    }
  }

  async send({ authorization }, signal) {
    const { fetch, endpoint } = this.#host;
    const { url, headers, body } = this.#request;
    try {
      const request = { url, headers: [...headers, "authorization", authorization], body };
      const { status, headers: answered, body: whole } = await send(fetch, request, signal, this.#core.maxResponseLength());
      return (tell) => {
        tell("answered", status, answered, whole);
        whole.fill(0);
      };
    } catch (thrown) {
      const { loss, what } = lossOf(thrown, endpoint);
      return (tell) => tell("notAnswered", loss, this.#failure(thrown, "transport_failed", what));
    }
  }

  async load({ key }) {
    const { store, cryptoKey } = this.#host.cache;
    return this.#withStore(async () => {
      const sealed = await store.load(key);
      if (sealed === undefined || sealed === null) return (tell) => tell("loaded");
      const entry = await open(await cryptoKey(), key, sealed);
      if (entry === undefined) return (tell) => tell("unreadable");
      return (tell) => {
        tell("loaded", entry);
        entry.fill(0);
      };
    });
  }

  async lock({ key, duration }, signal) {
    return this.#withStore(async () => {
      const unlock = await this.#host.cache.store.lock(key, seconds(duration));
      if (typeof unlock !== "function") return (tell) => tell("lockHeld");
      if (signal.aborted) await unlock(); // it came too late, and nobody would give it back
      return (tell) => {
        this.#unlock = unlock;
        tell("locked");
      };
    });
  }

  async store({ key, entry, duration }) {
    const { store, cryptoKey } = this.#host.cache;
    return this.#withStore(async () => {
      const sealed = await seal(await cryptoKey(), key, utf8(entry));
      await store.store(key, sealed, seconds(duration));
      return (tell) => tell("stored");
    });
  }

  async unlock() {
    return this.#withStore(async () => {
      await this.#unlock();
      return (tell) => tell("unlocked");
    });
  }

  async #withStore(act) {
    try {
      return await act();
    } catch (thrown) {
      return (tell) => tell("storeFailed", this.#failure(thrown, "service_unavailable", "the store failed"));
    }
  }
}

/** Stores count whole seconds; an entry or a lock lasts one at least. */
const seconds = (milliseconds) => Math.max(1, Math.floor(milliseconds / 1000));

/** How an answer was lost, as far as `fetch` tells: OpenSSL's codes in Node, a few words in browsers. */
function lossOf(thrown, endpoint) {
  const code = thrown?.cause?.code ?? thrown?.code;
  if (/^(?:CERT_|DEPTH_ZERO_|ERR_SSL_|ERR_TLS_|SELF_SIGNED_|UNABLE_TO_)/.test(code)) {
    return { loss: "untrusted", what: `\`${endpoint}\` is not trusted; check the CA bundle, and what stands between` };
  }
  if (thrown instanceof TypeError && /CORS|Failed to fetch|NetworkError|Load failed/.test(thrown.message)) {
    return { loss: "unreachable", what: `no answer from \`${endpoint}\`, or one that the browser withholds (CORS): check the network, or pass \`endpoint\` or \`fetch\` of a proxy` };
  }
  return { loss: "unreachable", what: `no answer from \`${endpoint}\`; check the network, the proxy and the CA bundle` };
}
