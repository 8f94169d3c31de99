// Credentials that renew themselves, for the AWS SDK: the options, and what the SDK calls. The core's
// `Provider` decides, `driver.js` does it.

import { sharedSessions } from "./cache.js";
import { Driver } from "./driver.js";
import { calling, invalidInput, wrapped } from "./errors.js";
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
const MAX_ATTEMPTS = 2 ** 32 - 1; // what the core counts

export class Provider {
  #load;
  #init;
  #cache;
  #clock;
  #monotonic;
  #core; // once it is there, with the call and what drives
  #call;
  #driver;
  #identity; // of `init`, read once
  #held; // the SDK's credentials, and for how long they are used without asking:
  #since = Number.POSITIVE_INFINITY;
  #until;
  #monotonicUntil;
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
    const { identity, timeoutMilliseconds = 1, maxAttempts = 1 } = init;
    if (identity === undefined ? init.certificate === undefined : IDENTITY.some((name) => init[name] !== undefined)) {
      throw invalidInput("pass either `certificate` with `privateKey` or `signer`, or `identity`");
    }
    if (identity !== undefined && typeof identity !== "function") throw invalidInput("`identity` is no function: pass one that returns `{ certificate, privateKey }`");
    if (!(timeoutMilliseconds > 0) || !(maxAttempts >= 1)) throw invalidInput("`timeoutMilliseconds` is above 0, `maxAttempts` 1 or more");
    this.#load = load;
    this.#init = init;
    this.#cache = init.cache === undefined ? undefined : sharedSessions(init.cache);
    this.#clock = init.clock ?? (() => Date.now());
    // Beside a clock of the user's it would tell another time.
    const hasMonotonic = init.clock === undefined && typeof globalThis.performance?.now === "function";
    this.#monotonic = hasMonotonic ? () => performance.now() : () => Number.NaN;
  }

  /** Credentials that are valid now. `properties` is what the AWS SDK passes. */
  async credentials(properties = {}) {
    const { callerClientConfig, forceRefresh = false } = properties ?? {};
    if (!forceRefresh && this.#covers() && this.#knows(callerClientConfig)) return this.#held;
    await this.#ready();
    if (!this.#knows(callerClientConfig)) await this.#accept(callerClientConfig);
    const logger = callerClientConfig?.logger;
    const driver = this.#driver;
    if (forceRefresh) driver.refresh();
    for (;;) {
      const { kind, window, duration } = driver.ask();
      switch (kind) {
        case "use":
          return this.#use(window);
        case "use_and_drive":
          this.#keep(driver.drive(logger));
          return this.#use(window);
        case "drive":
          await this.#keep(driver.drive(logger));
          break;
        case "wait":
          await driver.wait(duration);
          break;
        default:
          throw driver.error();
      }
    }
  }

  /** One CreateSession call of a provider that is used for nothing else: all that the service says. */
  async createSession() {
    await this.#ready();
    const driver = this.#driver;
    driver.ask();
    await driver.drive();
    const { session } = driver;
    if (session === undefined) throw driver.error();
    const { roleArn, assumedRoleArn, sourceIdentity, subjectArn, requestId } = session;
    const told = { credentials: credentialsOf(session), roleArn, assumedRoleArn, sourceIdentity, subjectArn, requestId };
    session.free?.();
    return told;
  }

  #covers() {
    const wall = this.#clock();
    return this.#since <= wall && wall < this.#until && !(this.#monotonic() >= this.#monotonicUntil);
  }

  #use(window) {
    [this.#since, this.#until, this.#monotonicUntil] = window;
    const { session } = this.#driver;
    const { accessKeyId, expiration } = session;
    if (this.#held?.accessKeyId !== accessKeyId || this.#held.expiration.getTime() !== expiration * 1000) {
      this.#held = credentialsOf(session);
    }
    session.free?.();
    return this.#held;
  }

  /** Lets a worker live as long as a drive. */
  #keep(drive) {
    const settled = drive.then(() => {}, () => {});
    this.#init.waitUntil?.(settled);
    return drive;
  }

  async #ready() {
    if (this.#driver !== undefined) return;
    const core = await this.#load();
    if (this.#driver !== undefined) return;
    const init = this.#init;
    this.#call = calling(
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
    const attempts = init.maxAttempts === undefined ? undefined : Math.min(init.maxAttempts, MAX_ATTEMPTS);
    this.#core = core;
    const cache = this.#cache;
    const sharing = cache === undefined ? [] : [cache.store.lock !== undefined, cache.propagationSeconds * 1000, cache.coldSpreadMilliseconds];
    const [seed] = crypto.getRandomValues(new Uint32Array(1));
    const windows = [undefined, undefined, undefined, undefined]; // the core's
    const [hasLock, propagation, coldSpread] = sharing;
    const provider = new core.Provider(this.#call, seed, attempts, init.timeoutMilliseconds, ...windows, hasLock, propagation, coldSpread, undefined, undefined, false);
    this.#driver = new Driver(core, provider, {
      cache: this.#cache,
      endpoint: this.#call.endpointUrl,
      fetch: init.fetch ?? ((...request) => globalThis.fetch(...request)),
      identity: () => this.#readIdentity(),
      note: ({ isWarning, message }, logger = init.logger) => {
        logger?.[isWarning ? "warn" : "debug"]?.(`rolesanywhere: ${message}`);
      },
      now: () => [this.#clock(), this.#monotonic()],
      use: (window) => this.#use(window),
      sleep: init.sleep ?? ((milliseconds) => new Promise((done) => setTimeout(done, milliseconds))),
    });
  }

  async #readIdentity() {
    const { identity } = this.#init;
    if (identity === undefined) {
      // Read once, unless that fails: the next try may find WebCrypto willing.
      this.#identity ??= readIdentity(this.#core, this.#init);
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
    return readIdentity(this.#core, given);
  }

  // ---- the SDK's client

  #knows(client) {
    return client === undefined || client === null || this.#accepted.has(client);
  }

  /** Credentials of one partition mean nothing in another, where the client's calls would go. */
  async #accept(client) {
    const call = this.#call;
    const region = typeof client.region === "function" ? await client.region() : client.region;
    if (typeof region === "string") {
      const partition = this.#core.partitionOf(region);
      if (partition !== call.partition) {
        throw invalidInput(`the client's region \`${region}\` is of the partition \`${partition}\`, the trust anchor's \`${call.region}\` of \`${call.partition}\`: configure the client for a region of \`${call.partition}\``);
      }
    }
    this.#accepted.add(client);
  }
}

/** The SDK's `AwsCredentialIdentity`. */
function credentialsOf({ accessKeyId, secretAccessKey, sessionToken, accountId, expiration }) {
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
