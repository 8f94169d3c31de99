// CreateSession over the host's `fetch`: sent, retried, its answer read.

import { RolesAnywhereError, calling, wrapped } from "./errors.js";

/** How often a request is sent before a renewal counts as failed. */
export const MAX_ATTEMPTS = 3;
/** How long an attempt may take, in milliseconds. */
export const TIMEOUT_MILLISECONDS = 10_000;
// A renewal does not wait longer than this between two attempts; what the service wants longer is
// left to the plan of renewals.
const MAX_PAUSE_SECONDS = 5;
// A clock that is off by less is left alone, as in the core.
const CLOCK_OFFSET_SECONDS = 60;
// The core reads no more than this of an answer either.
const MAX_RESPONSE_LENGTH = 256 * 1024;

/**
 * Calls CreateSession until it succeeds or there is no point in going on; every attempt is signed
 * anew. `host` is `{ fetch, timeoutMilliseconds, maxAttempts, sleep, signingTime }`.
 */
export async function createSession(core, call, identity, host) {
  let skew = 0;
  let corrected = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await exchange(core, call, identity, host, skew);
    } catch (error) {
      const offset = corrected ? undefined : clockOffset(error, host);
      if (offset !== undefined) {
        // The clock is wrong, the service's answer told by how much: once more, at once.
        [skew, corrected] = [offset, true];
        continue;
      }
      const pause = pauseAfter(error, attempt, host.maxAttempts);
      if (pause === undefined) throw error;
      await host.sleep(pause * 1000);
    }
  }
}

async function exchange(core, call, identity, host, skew) {
  const request = await signed(core, call, identity, host.signingTime() + skew);
  const { status, headers, body } = await send(host, call.endpointUrl, request);
  try {
    return calling(core, () => core.Session.fromResponse(status, headers, body));
  } finally {
    body.fill(0);
  }
}

/** The request to send, as it is. */
export async function signed(core, call, identity, time) {
  const unsigned = calling(core, () => call.prepare(identity.chain, time));
  try {
    const signing = identity.sign(unsigned);
    // While WebCrypto or the user's signer is at work, elsewhere.
    const { url, headers, body } = unsigned;
    return { url, headers: [...headers, "authorization", await signing], body };
  } finally {
    unsigned.free?.();
  }
}

async function send(host, endpoint, request) {
  const timeout = new AbortController();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${host.timeoutMilliseconds} ms`);
      // Whatever the host's `fetch` makes of the signal, the attempt ends.
      reject(error);
      timeout.abort(error);
    }, host.timeoutMilliseconds);
  });
  try {
    return await Promise.race([transfer(host.fetch, request, timeout.signal), late]);
  } catch (thrown) {
    if (thrown instanceof TypeError && /CORS|Failed to fetch|NetworkError|Load failed/.test(thrown.message)) {
      throw wrapped("transport_failed", `no answer from \`${endpoint}\`, or one that the browser withholds (CORS): check the network, or pass \`endpoint\` or \`fetch\` of a proxy`, thrown);
    }
    throw wrapped("transport_failed", `no answer from \`${endpoint}\`; check the network, the proxy and the CA bundle`, thrown);
  } finally {
    clearTimeout(timer);
  }
}

async function transfer(fetch, request, signal) {
  const headers = new Headers();
  const flat = request.headers;
  for (let at = 0; at < flat.length; at += 2) headers.append(flat[at], flat[at + 1]);
  const response = await fetch(request.url, {
    method: "POST",
    headers,
    body: request.body,
    redirect: "manual", // a signed request follows nobody
    signal,
  });
  const answered = [];
  response.headers.forEach((value, name) => answered.push(name, value));
  // Browsers hide the status of a redirect; the core knows what to say of one.
  const status = response.type === "opaqueredirect" ? 302 : response.status;
  return { status, headers: answered, body: await readBody(response) };
}

async function readBody(response) {
  if (typeof response.body?.getReader !== "function") return new Uint8Array(await response.arrayBuffer());
  const reader = response.body.getReader();
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    if (length > MAX_RESPONSE_LENGTH) {
      reader.cancel().catch(() => {});
      throw new RolesAnywhereError("invalid_response", `the answer has more than the ${MAX_RESPONSE_LENGTH} bytes that a session may have: check the endpoint and what stands between`);
    }
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}

function clockOffset(error, host) {
  if (error.serverTime === undefined || ![400, 401, 403].includes(error.status)) return undefined;
  const offset = Math.trunc(error.serverTime.getTime() / 1000) - host.signingTime();
  return Math.abs(offset) >= CLOCK_OFFSET_SECONDS ? offset : undefined;
}

function pauseAfter(error, attempt, maxAttempts) {
  if (error.retryable !== true || attempt >= maxAttempts) return undefined;
  const asked = error.retryAfter ?? 0;
  if (asked > MAX_PAUSE_SECONDS) return undefined;
  const base = error.code === "transport_failed" ? 0.1 : 0.5;
  return Math.max(asked, Math.min(MAX_PAUSE_SECONDS, base * 2 ** attempt) * Math.random());
}
