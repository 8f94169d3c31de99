// Credentials that renew themselves. The core's `Renewal` decides when; this file does it.

import { LOCK_SECONDS, LOOK_AGAIN_SECONDS, exponential, open, seal, sessionKey, sharedSessions } from "./cache.js";
import { RolesAnywhereError, again, calling, failureOf, invalidInput, isRolesAnywhereError, wrapped } from "./errors.js";
import { MAX_ATTEMPTS, TIMEOUT_MILLISECONDS, createSession } from "./fetch.js";
import { readIdentity } from "./keys.js";

const IDENTITY = ["certificate", "certificateChain", "privateKey", "password", "signer"];
const TYPES = {
  region: "string",
  endpoint: "string",
  fips: "boolean",
  dualStack: "boolean",
  durationSeconds: "number",
  roleSessionName: "string",
};

export class Provider {
  #load;
  #init;
  #host;
  #cache;
  #plan; // { core, call, renewal, parameters }, once the core is there
  #identity; // of `init`, read once
  #held; // { identity: the SDK's credentials, mandatoryAt }
  #useUntil = Number.NEGATIVE_INFINITY; // no need to ask the core before
  #turn = Number.NEGATIVE_INFINITY; // this isolate's moment to renew what all share
  #flight; // { promise, lostAt } of the renewal under way
  #lastError;
  #accepted = new WeakSet(); // clients whose region has been looked at

  /** `load` returns the core, or a promise of it. */
  constructor(load, init) {
    if (init === null || typeof init !== "object") throw invalidInput("no configuration is given: pass `{ trustAnchorArn, profileArn, roleArn, … }`");
    for (const name of ["trustAnchorArn", "profileArn", "roleArn"]) {
      if (typeof init[name] !== "string") throw invalidInput(`\`${name}\` is not given: pass the ARN`);
    }
    for (const [name, type] of Object.entries(TYPES)) {
      if (init[name] !== undefined && typeof init[name] !== type) throw invalidInput(`\`${name}\` is no ${type}`);
    }
    if (!Object.values(init.instanceProperties ?? {}).every((value) => typeof value === "string")) {
      throw invalidInput("`instanceProperties` are not all texts");
    }
    const { identity, timeoutMilliseconds = TIMEOUT_MILLISECONDS, maxAttempts = MAX_ATTEMPTS, clock = Date.now } = init;
    if (identity === undefined ? init.certificate === undefined : IDENTITY.some((name) => init[name] !== undefined)) {
      throw invalidInput("pass either `certificate` with `privateKey` or `signer`, or `identity`");
    }
    if (identity !== undefined && typeof identity !== "function") throw invalidInput("`identity` is no function: pass one that returns `{ certificate, privateKey }`");
    if (!(timeoutMilliseconds > 0) || !(maxAttempts >= 1)) throw invalidInput("`timeoutMilliseconds` is above 0, `maxAttempts` 1 or more");
    this.#load = load;
    this.#init = init;
    this.#cache = init.cache === undefined ? undefined : sharedSessions(init.cache);
    this.#host = {
      clock,
      fetch: init.fetch ?? ((...request) => globalThis.fetch(...request)),
      maxAttempts,
      signingTime: () => this.#plan.renewal.signingTime(this.#now()),
      sleep: init.sleep ?? ((milliseconds) => new Promise((done) => setTimeout(done, milliseconds))),
      timeoutMilliseconds,
    };
  }

  /** Credentials that are valid now. `properties` is what the AWS SDK passes. */
  async credentials(properties = {}) {
    const { callerClientConfig, forceRefresh = false } = properties ?? {};
    if (!forceRefresh && this.#held !== undefined && this.#now() < this.#useUntil && this.#knows(callerClientConfig)) {
      return this.#held.identity;
    }
    await this.#ready();
    if (!this.#knows(callerClientConfig)) await this.#accept(callerClientConfig);
    let lost = 0;
    for (let force = forceRefresh; ; force = false) {
      const now = this.#now();
      const action = force ? "renew" : this.#next(now);
      if (action === "use") return this.#held.identity;
      if (action === "wait") throw again(this.#lastError);
      const flight = this.#renewal(callerClientConfig?.logger);
      if (action === "use_and_renew") return this.#held.identity;
      // One that another call began may be lost; if the next is too, something hangs here.
      if (!(await this.#join(flight)) && (lost += 1) > 1) {
        throw new RolesAnywhereError("transport_failed", "the renewal did not end in the time that its attempts have: look at the signer, the identity's function and the cache's store");
      }
    }
  }

  /** One CreateSession call, past the cache and the plan: all that the service says. */
  async createSession() {
    const { core, call } = await this.#ready();
    const session = await createSession(core, call, await this.#readIdentity(), this.#host);
    try {
      const { roleArn, assumedRoleArn, sourceIdentity, subjectArn, requestId } = session;
      return { credentials: credentialsOf(session), roleArn, assumedRoleArn, sourceIdentity, subjectArn, requestId };
    } finally {
      session.free?.();
    }
  }

  #now() {
    return Math.floor(this.#host.clock() / 1000);
  }

  async #ready() {
    if (this.#plan !== undefined) return this.#plan;
    const core = await this.#load();
    const init = this.#init;
    const call = calling(
      core,
      () =>
        new core.CreateSession(
          init.trustAnchorArn,
          init.profileArn,
          init.roleArn,
          init.region,
          init.endpoint,
          init.fips ?? false,
          init.dualStack ?? false,
          init.durationSeconds,
          init.roleSessionName,
          Object.entries(init.instanceProperties ?? {}).flat(),
          placement(init.arnPlacement),
        ),
    );
    const [jitter] = crypto.getRandomValues(new Uint32Array(1));
    const parameters = [
      call.endpointUrl, init.trustAnchorArn, init.profileArn, init.roleArn,
      init.durationSeconds ?? null, init.roleSessionName ?? null, init.instanceProperties ?? null,
    ];
    this.#plan ??= { core, call, renewal: new core.Renewal(jitter), parameters };
    return this.#plan;
  }

  // ---- the SDK's client

  #knows(client) {
    return client === undefined || client === null || this.#accepted.has(client);
  }

  /** Credentials of one partition mean nothing in another, where the client's calls would go. */
  async #accept(client) {
    const { core, call } = this.#plan;
    const region = typeof client.region === "function" ? await client.region() : client.region;
    if (typeof region === "string") {
      const partition = core.partitionOf(region);
      if (partition !== call.partition) {
        throw invalidInput(`the client's region \`${region}\` is of the partition \`${partition}\`, the trust anchor's \`${call.region}\` of \`${call.partition}\`: configure the client for a region of \`${call.partition}\``);
      }
    }
    this.#accepted.add(client);
  }

  // ---- renewal

  #next(now) {
    const { renewal } = this.#plan;
    const step = renewal.next(now);
    const { action, until } = step;
    step.free?.();
    this.#useUntil = action === "use" ? until : Number.NEGATIVE_INFINITY;
    if (action === "use_and_renew" && now < this.#turn) {
      this.#useUntil = this.#turn;
      return "use";
    }
    return action;
  }

  /** The renewal under way, or a new one: one request is in flight. */
  #renewal(logger) {
    const started = this.#host.clock();
    // A worker whose client has gone is ended in mid-request: its promise never settles.
    if (this.#flight !== undefined && started < this.#flight.lostAt) return this.#flight;
    const { timeoutMilliseconds, maxAttempts } = this.#host;
    const flight = { lostAt: started + timeoutMilliseconds * maxAttempts };
    this.#flight = flight;
    flight.promise = this.#renew(flight, logger ?? this.#init.logger);
    flight.promise.catch(() => {}); // whoever waits hears of it
    this.#init.waitUntil?.(flight.promise.then(() => {}, () => {}));
    return flight;
  }

  /** Waits for a renewal; whether it ended. */
  async #join(flight) {
    let timer;
    const lost = new Promise((done) => {
      timer = setTimeout(() => done(false), Math.max(0, flight.lostAt - this.#host.clock()));
    });
    try {
      return await Promise.race([flight.promise.then(() => true), lost]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #renew(flight, logger) {
    try {
      const identity = await this.#readIdentity();
      if (this.#cache === undefined) await this.#create(identity);
      else await this.#share(identity, logger);
    } catch (thrown) {
      const error = isRolesAnywhereError(thrown) ? thrown : wrapped("transport_failed", "the renewal failed", thrown);
      const now = this.#now();
      const { core, renewal } = this.#plan;
      renewal.failed(now, failureOf(core, error));
      this.#lastError = error;
      this.#useUntil = Number.NEGATIVE_INFINITY;
      if (!renewal.isValid(now)) throw error;
      logger?.warn?.(`rolesanywhere: renewal failed, the credentials at hand are used on: ${error.message}`);
    } finally {
      if (this.#flight === flight) this.#flight = undefined;
    }
  }

  async #readIdentity() {
    const { core } = this.#plan;
    const { identity } = this.#init;
    if (identity === undefined) {
      // Read once, unless that fails: the next try may find WebCrypto willing.
      this.#identity ??= readIdentity(core, this.#init);
      return this.#identity.catch((error) => {
        this.#identity = undefined;
        throw error;
      });
    }
    let given;
    try {
      given = await identity();
    } catch (thrown) {
      throw wrapped("invalid_input", "the identity's function failed", thrown);
    }
    return readIdentity(core, given);
  }

  async #create(identity) {
    const { core, call, renewal } = this.#plan;
    const session = await createSession(core, call, identity, this.#host);
    try {
      const now = this.#now();
      renewal.renewed(now, session);
      if (!renewal.isValid(now)) {
        throw wrapped("invalid_response", "the service's credentials had expired when they came", "check the clock of this machine");
      }
      const issuedAt = renewal.signingTime(now);
      const { expiration } = session;
      this.#hold(credentialsOf(session), issuedAt, expiration);
      return { ...this.#held.identity, issuedAt, expiration };
    } finally {
      session.free?.();
    }
  }

  #hold(identity, issuedAt, expiration) {
    const mandatoryAt = expiration - mandatoryWindow(expiration - issuedAt);
    this.#held = { identity, mandatoryAt };
    this.#lastError = undefined;
    const cache = this.#cache;
    const shared = cache !== undefined && cache.store.lock === undefined;
    this.#turn = shared ? mandatoryAt - cache.propagationSeconds * exponential() : Number.NEGATIVE_INFINITY;
    this.#next(this.#now());
  }

  // ---- sharing

  async #share(identity, logger) {
    const { parameters } = this.#plan;
    const { store, coldSpreadMilliseconds, LOOK_MILLISECONDS } = this.#cache;
    const key = await sessionKey(parameters, identity.chain);
    const { clock, sleep } = this.#host;
    const hadNone = !this.#plan.renewal.isValid(this.#now());
    // A store that fails is no reason to fail: the session is just not shared.
    const tolerant = async (what, act) => {
      try {
        return await act();
      } catch (thrown) {
        logger?.warn?.(`rolesanywhere: the shared session cannot be ${what}: ${thrown instanceof Error ? thrown.message : thrown}`);
        return undefined;
      }
    };
    const look = () => tolerant("read", async () => this.#restore(key, await store.load(key)));
    const create = async () => {
      const session = await this.#create(identity);
      const seconds = Math.floor(session.expiration - this.#host.signingTime());
      await tolerant("stored", async () => store.store(key, await seal(await this.#cache.cryptoKey(), key, session), Math.max(1, seconds)));
    };

    if (await look()) return;
    if (store.lock === undefined) {
      if (hadNone && coldSpreadMilliseconds > 0) {
        // Rule 4: the moment is at `spread - spread / 8 * E`.
        await sleep(Math.max(0, coldSpreadMilliseconds * (1 - exponential() / 8)));
        if (await look()) return;
      }
      await create();
      return;
    }
    const until = clock() + LOCK_SECONDS * 1000;
    for (;;) {
      const failed = () => undefined;
      const unlock = await tolerant("locked", async () => (await store.lock(key, LOCK_SECONDS)) ?? failed);
      if (unlock !== failed) {
        try {
          // Who held the lock before may have renewed. Without a store there is no lock to free.
          if (unlock === undefined || !(await look())) await create();
        } finally {
          if (unlock !== undefined) await tolerant("unlocked", unlock);
        }
        return;
      }
      if (!hadNone && this.#now() < this.#held.mandatoryAt) {
        // Another renews: go on with what is there, and look again.
        this.#turn = this.#now() + LOOK_AGAIN_SECONDS * (0.5 + Math.random());
        return;
      }
      await sleep(LOOK_MILLISECONDS * (1 + Math.random()));
      if (await look()) return;
      if (clock() >= until) {
        await create();
        return;
      }
    }
  }

  /** Takes a stored session into use, if it is newer than what is at hand and will last. */
  async #restore(key, entry) {
    if (entry === undefined || entry === null) return false;
    const session = await open(await this.#cache.cryptoKey(), key, entry);
    if (session === undefined) return false;
    const { renewal } = this.#plan;
    const now = renewal.signingTime(this.#now());
    const { accessKeyId, secretAccessKey, sessionToken, accountId, issuedAt, expiration } = session;
    if (this.#held !== undefined && this.#held.identity.expiration.getTime() >= expiration * 1000) return false;
    if (now >= expiration - mandatoryWindow(expiration - issuedAt)) return false;
    renewal.restored(issuedAt, expiration);
    this.#hold(credentials({ accessKeyId, secretAccessKey, sessionToken, accountId, expiration }), issuedAt, expiration);
    return true;
  }
}

/** The core's mandatory window: five minutes, at most a sixth of the session. */
const mandatoryWindow = (lifetime) => Math.min(300, lifetime / 6);

const credentialsOf = ({ accessKeyId, secretAccessKey, sessionToken, accountId, expiration }) =>
  credentials({ accessKeyId, secretAccessKey, sessionToken, accountId, expiration });

/** The SDK's `AwsCredentialIdentity`. */
function credentials({ accessKeyId, secretAccessKey, sessionToken, accountId, expiration }) {
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken,
    expiration: new Date(expiration * 1000),
    ...(accountId === undefined ? {} : { accountId }),
  };
}

function placement(word = "query") {
  if (word !== "query" && word !== "body") throw invalidInput(`\`${word}\` is no place for the ARNs: pass \`query\` or \`body\``);
  return word === "body";
}
