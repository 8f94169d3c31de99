// `tests/vectors/lifecycle`: every scenario, played by the core's `Provider` as this face has it.
// `tests/vectors/README.md` describes the format.

import { equal, ok } from "../assert.js";

const ROLE = "arn:aws:iam::123456789012:role/reader";
const REGION = "arn:aws:rolesanywhere:eu-west-1:123456789012";
// What answers which action.
const ANSWERED = {
  identity_loaded: "load_identity", identity_failed: "load_identity", identity_stale: "load_identity", signed: "sign", sign_failed: "sign",
  answered: "send", not_answered: "send", loaded: "load", unreadable: "load", locked: "lock", lock_held: "lock", stored: "store", unlocked: "unlock",
};
// Events without anything more, by the name of their method.
const BARE = {
  tick: "tick", cancelled: "cancelled", refresh: "refresh", resumed: "resumed", unreadable: "unreadable", locked: "locked", lock_held: "lockHeld",
  stored: "stored", unlocked: "unlocked", timed_out: "timedOut",
};

const utf8 = (text) => new TextEncoder().encode(text);
const iso = (seconds) => new Date(seconds * 1000).toISOString().replace(".000", "");

export default function cases(suite) {
  suite.test("vectors: lifecycle", async ({ core, fixture }) => {
    const { scenarios, certificates } = fixture.vectors.lifecycle;
    ok(scenarios.length >= 80, `${scenarios.length} scenarios`);
    const key = utf8(certificates["key.pem"]);
    const identity = await core.LocalIdentity.read(utf8(certificates["leaf.pem"]), key, undefined, undefined);
    const signer = identity.signer();
    const chains = {};
    for (const [name, pem] of Object.entries(certificates)) {
      if (name !== "key.pem") chains[name.replace(".pem", "")] = await core.CertificateChain.read(utf8(pem), undefined, undefined);
    }
    const failures = [];
    // The wasm modules are built without the feature `explain`, which is a sixth of their size.
    const played = scenarios.filter(({ json }) => json.needs === undefined || core.explains());
    ok(played.length >= scenarios.length - 12, `only ${played.length} scenarios`);
    for (const { name, json } of played) {
      for (const seed of [0, 1, 0xfeed_beef]) {
        try {
          await new Scenario(core, signer, chains, json, seed).play();
        } catch (error) {
          failures.push(`${name}, seed ${seed}: ${error.message}`);
          break;
        }
      }
    }
    ok(failures.length === 0, `${failures.length} failed:\n${failures.join("\n")}`);
  });
}

class Scenario {
  #core;
  #signer;
  #chains;
  #json;
  #provider;
  #start;
  #now = 0; // milliseconds since the start: true time, by which the service's clock runs
  #setBy = 0;
  #slept = 0;
  #last = {}; // the last action of each kind
  #notes = [];
  #stored = {};
  #step = 0;

  constructor(core, signer, chains, json, seed) {
    this.#core = core;
    this.#signer = signer;
    this.#chains = chains;
    this.#json = json;
    const { policy = {}, sharing } = json;
    const { attempts, ...limits } = policy;
    const known = ["attempt_timeout", "background_window", "mandatory_window", "patience", "total_timeout"];
    const unknown = Object.keys(limits).filter((name) => !known.includes(name));
    equal(unknown, [], "policies");
    const call = new core.CreateSession(
      `${REGION}:trust-anchor/0d1c5b6e-0000-4000-8000-000000000000`, `${REGION}:profile/7f3a2c11-0000-4000-8000-000000000000`, this.#role,
      undefined, json.endpoint, false, false, undefined, undefined, [], false,
    );
    const milliseconds = known.map((name) => (limits[name] === undefined ? undefined : limits[name] * 1000));
    const { lock, propagation = 0, cold_spread: spread = 0, identity } = sharing ?? {};
    this.#provider = new core.Provider(
      call, seed, attempts, ...milliseconds, lock, propagation * 1000, spread * 1000, identity, json.machine, json.monotonic_counts_sleep === true,
    );
    this.#start = Date.parse(json.start ?? "2026-11-27T12:00:00Z");
  }

  async play() {
    try {
      for (const step of this.#json.steps) {
        this.#step += 1;
        const at = Math.round(step.at * 1000);
        ok(at >= this.#now, "`at` runs backwards");
        this.#now = at;
        await this.#take(step);
      }
    } catch (error) {
      throw new Error(`step ${this.#step} at ${this.#now / 1000} s: ${error?.message ?? error}`);
    }
  }

  async #take(step) {
    if (step.clock_set_by !== undefined) this.#setBy += step.clock_set_by * 1000;
    else if (step.slept !== undefined) this.#slept += step.slept * 1000; // `at` has come this far while the monotonic clock stood still
    else if (step.ask !== undefined) this.#ask(step);
    else if (step.event !== undefined) await this.#event(step.event, step);
    else if (step.actions !== undefined) this.#expect(step.actions);
    else if (step.renew !== undefined) await this.#renew(step.renew);
    else if (step.notes !== undefined) {
      const heard = this.#notes.splice(0);
      for (const kind of step.notes) ok(heard.includes(kind), `no note \`${kind}\` in ${heard}`);
    } else throw new Error("the step says nothing");
  }

  get #role() {
    return this.#json.role ?? ROLE;
  }

  get #wall() {
    return this.#start + this.#now + this.#setBy;
  }

  get #monotonic() {
    return this.#now - this.#slept + 1_000_000_000;
  }

  get #clocks() {
    return [this.#wall, this.#json.monotonic === false ? Number.NaN : this.#monotonic];
  }

  /** The service's clock, in seconds. */
  get #service() {
    return Math.floor((this.#start + (this.#json.service_ahead ?? 0) * 1000 + this.#now) / 1000);
  }

  #within(what, milliseconds, expected) {
    if (expected === undefined || expected === null) return;
    const [low, high] = [expected].flat().length === 2 ? expected : [expected, expected];
    const value = milliseconds / 1000;
    ok(low - 0.001 <= value && value <= high + 0.001, `${what} is ${value} s, expected ${expected}`);
  }

  #windowLength([since, until, monotonicUntil]) {
    const [wall, monotonic] = this.#clocks;
    ok((since <= wall && wall < until && !(monotonic >= monotonicUntil)) || until === wall, "the window does not cover the present");
    return until - wall;
  }

  #ask(step) {
    const { kind, window, duration } = this.#provider.ask(...this.#clocks);
    equal(kind, step.ask, this.#provider.error?.message ?? "");
    if (window !== undefined) ok(this.#provider.validFor(...this.#clocks) > 0, "used, and not valid");
    this.#within("the advice", window === undefined ? (duration ?? 0) : this.#windowLength(window), step.for);
    if (step.ends_in !== undefined) this.#within("the validity", this.#provider.validFor(...this.#clocks), step.ends_in);
    if (step.credentials !== undefined) equal(this.#provider.session.accessKeyId, step.credentials);
    if (step.ask !== "fail" && step.error === undefined) return;
    const { code, message } = this.#provider.error;
    if (step.error !== undefined) equal(code, step.error, message);
    for (const words of step.says ?? []) ok(message.includes(words), `\`${words}\` in: ${message}`);
  }

  #poll() {
    for (;;) {
      const action = this.#provider.poll(...this.#clocks);
      if (action === undefined) return undefined;
      const { kind } = action;
      if (kind !== "note") {
        if (kind === "store") {
          ok(/^[0-9a-f]{64}$/.test(action.key));
          this.#stored[holds(action.entry)] = utf8(action.entry);
        }
        return (this.#last[kind] = action);
      }
      ok(!action.message.includes("secret"), action.message);
      this.#notes.push(action.about);
    }
  }

  #expect(actions) {
    for (const wanted of actions) {
      const action = this.#poll();
      if (wanted.action === "none") {
        ok(action === undefined, `more to do: ${action?.kind}`);
        continue;
      }
      equal(action?.kind, wanted.action, this.#provider.error?.message ?? "");
      const { kind, window, duration, timeout } = action;
      const lasts = kind === "use" ? this.#windowLength(window) : kind === "fail" ? duration : timeout;
      this.#within(kind, lasts, wanted.for);
      if (kind === "store") {
        this.#within("the entry's life", duration, wanted.ttl);
        if (wanted.holds !== undefined) equal(holds(action.entry), wanted.holds);
      }
      if (kind === "lock") this.#within("the lease", duration, wanted.lease);
      if (kind === "send" && wanted.dated !== undefined) {
        const { headers } = this.#last.sign.request;
        const date = headers[headers.findIndex((name) => name.toLowerCase() === "x-amz-date") + 1];
        const off = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z")) / 1000 - this.#service;
        ok(wanted.dated[0] <= off && off <= wanted.dated[1], `dated ${off} s off`);
      }
    }
  }

  async #event(kind, step) {
    const answers = kind === "store_failed" || kind === "timed_out" ? step.of : ANSWERED[kind];
    let id = this.#last[answers]?.id ?? 0;
    if (step.stale === true) id -= 1;
    const failure = () => new this.#core.Failure(step.error ?? "transport_failed", step.message ?? "it failed");
    const tell = (event, ...about) => this.#provider[event](...this.#clocks, ...(answers === undefined ? about : [id, ...about]));
    const modified = step.modified_ago === undefined ? undefined : this.#wall - step.modified_ago * 1000;
    if (BARE[kind] !== undefined) return tell(BARE[kind]);
    switch (kind) {
      case "forked": return this.#provider.forked(...this.#clocks, 77);
      case "lock_lost": return this.#provider.lockLost(...this.#clocks);
      case "identity_loaded": return tell("identityLoaded", this.#chains[step.certificate ?? "leaf"]);
      case "identity_failed": return tell("identityFailed", failure(), modified);
      case "identity_stale": return tell("identityStale", failure(), modified, this.#chains[step.certificate ?? "leaf"]);
      case "signed": return tell("signed", await this.#signer.sign(this.#last.sign.request));
      case "sign_failed": return tell("signFailed", failure());
      case "answered": return tell("answered", ...this.#response(step));
      case "not_answered": return tell("notAnswered", step.loss, failure());
      case "loaded": return tell("loaded", this.#entry(step.entry));
      case "store_failed": return tell("storeFailed", failure());
      default: throw new Error(`the event \`${kind}\` is not known`);
    }
  }

  /** The plain way from an advice to drive up to the credentials, with this answer. */
  async #renew(answer) {
    ok(this.#provider.ask(...this.#clocks).kind.endsWith("drive"));
    this.#expect([{ action: "load_identity" }]);
    await this.#event("identity_loaded", {});
    this.#expect([{ action: "sign" }]);
    await this.#event("signed", {});
    this.#expect([{ action: "send" }]);
    await this.#event("answered", answer);
    if (answer.status === undefined) this.#expect([{ action: "use" }, { action: "none" }]);
  }

  // ---- what the service and the store say

  #response({ status = 201, content_type: type = "application/json", date = 0, ...answer }) {
    const headers = ["content-type", type];
    if (date !== false) headers.push("date", typeof date === "string" ? date : new Date((this.#service + date) * 1000).toUTCString());
    if (answer.retry_after !== undefined) headers.push("retry-after", String(answer.retry_after));
    if (answer.body !== undefined) return [status, headers, utf8(answer.body)];
    if (status !== 201) {
      headers.push("x-amzn-errortype", answer.code ?? "AccessDeniedException");
      const body = { message: answer.message ?? "no", retryAfterSeconds: answer.retry_after_seconds };
      return [status, headers, utf8(JSON.stringify(body))];
    }
    const { expires_in: end = 3600 } = answer;
    const expiration = typeof end === "string" ? end : iso(this.#service + end);
    const assumed = `arn:aws:sts::123456789012:assumed-role/${this.#role.split("/").at(-1)}/s`;
    const credentials = { accessKeyId: answer.credentials ?? "ASIA1", secretAccessKey: "secret", sessionToken: "secret-token", expiration };
    const roleArn = answer.role_arn === false ? undefined : (answer.role_arn ?? this.#role);
    const set = { assumedRoleUser: { arn: answer.assumed_role ?? assumed }, credentials, roleArn };
    return [status, headers, utf8(JSON.stringify({ credentialSet: [set] }))];
  }

  /** An entry of the store: what this provider stored, or one that another would have stored. */
  #entry(entry) {
    if (entry === undefined || entry === null) return undefined;
    if (entry === "stored") return this.#stored.session;
    if (entry === "stored failure") return this.#stored.failure;
    if (typeof entry === "string") return utf8(entry);
    const time = (name, otherwise) => this.#service + (entry[name] ?? otherwise);
    if (entry.failed !== undefined) {
      const { failed: code, message = "no" } = entry;
      return utf8(JSON.stringify({ version: 2, code, message, failed_at: time("failed_in", 0), until: time("until_in", 30) }));
    }
    const { clock } = entry;
    return utf8(JSON.stringify({
      version: entry.version ?? 2, access_key_id: entry.credentials ?? "ASIASHARED", secret_access_key: "secret", session_token: "secret-token",
      expiration: iso(time("expires_in", 3600)), issued_at: time("issued_in", 0), role_arn: entry.role_arn ?? ROLE,
      clock: clock && {
        machine: clock.machine, offset_seconds: clock.offset,
        wall_milliseconds: this.#wall - clock.ago * 1000 + (clock.wall_was_off_by ?? 0) * 1000,
        monotonic_milliseconds: this.#monotonic - clock.ago * 1000,
      },
    }));
  }
}

const holds = (entry) => (typeof JSON.parse(entry).failed_at === "number" ? "failure" : "session");
