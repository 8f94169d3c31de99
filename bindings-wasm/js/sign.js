// Signature Version 4 for any request to AWS, by the core's canonicalizer: `signRequest`, and a `fetch`
// that signs.

import { bytesOrNothing, fromHex, sha256, utf8 } from "./bytes.js";
import { calling, invalidInput } from "./errors.js";

/** How often `AwsClient.fetch` sends a request. */
const MAX_ATTEMPTS = 4;
const DEFAULT_EXPIRES_SECONDS = 900;
const UNSIGNED = "UNSIGNED-PAYLOAD";
const EMPTY_SHA256 = fromHex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

/** Makes `signRequest` of a core that `load` returns, or promises. */
export function requestSigner(load) {
  // The signing keys of one set of credentials, by day, region and service; gone with it.
  const keys = new WeakMap();

  function signingKey(core, credentials, now, region, service, express) {
    let own = keys.get(credentials);
    if (own === undefined) keys.set(credentials, (own = new Map()));
    const name = `${region}/${service}/${express}`;
    let key = own.get(name);
    if (key === undefined || !key.covers(now)) {
      const { accessKeyId, secretAccessKey, sessionToken } = credentials;
      key = calling(core, () => new core.SigningKey(accessKeyId, secretAccessKey, sessionToken, now, region, service, express));
      own.set(name, key);
    }
    return key;
  }

  return async function signRequest(input, options) {
    if (options === null || typeof options !== "object") throw invalidInput("no options are given: pass `{ credentials, … }`");
    const request = parts(input, options);
    const { url, method, headers } = request;
    const core = await load();
    const [hostService, hostRegion] = core.hostScope(url.hostname);
    const region = options.region ?? hostRegion;
    const service = options.service ?? hostService;
    if (service === "" || region === "") {
      const missing = [service === "" && "`service`", region === "" && "`region`"].filter(Boolean).join(" and ");
      throw invalidInput(`the host name \`${url.host}\` does not tell the ${missing.replaceAll("`", "")} to sign for: pass ${missing}`);
    }
    const s3 = core.isS3(service);
    // Outside S3 a body must be hashed; some runtimes show no stream of a `Request` either.
    if (request.whole !== undefined && !(s3 && isStream(request.body))) {
      const bytes = new Uint8Array(await request.whole.clone().arrayBuffer());
      request.body = bytes.length === 0 ? undefined : bytes;
    }
    const { body } = request;
    const { credentials: given } = options;
    const credentials = typeof given === "function" ? await given() : given;
    if (typeof credentials?.accessKeyId !== "string" || typeof credentials?.secretAccessKey !== "string") {
      throw invalidInput("no credentials are given: pass `credentials`, a provider or `{ accessKeyId, secretAccessKey, sessionToken }`");
    }
    const now = Math.floor((options.date?.getTime() ?? Date.now()) / 1000);
    const key = signingKey(core, credentials, now, region, service, options.s3ExpressSession ?? false);
    const presign = options.presign ?? false;
    const sha = await payload(request, options, { presign, s3 });
    const path = url.pathname;
    // `URLSearchParams` writes a space as `+`, which signatures and some services read as a plus: the URL that is
    // sent is the one that is signed.
    const query = url.search.slice(1).replaceAll("+", "%20");

    if (presign !== false) {
      const expires = (presign === true ? undefined : presign.expiresInSeconds) ?? DEFAULT_EXPIRES_SECONDS;
      if (!Number.isInteger(expires) || expires < 0 || expires > 0xffff_ffff) throw invalidInput(`a URL cannot be presigned for ${expires} seconds: whole seconds are wanted`);
      const signed = calling(core, () => key.presign(method, path, query, flat(url, headers), sha, now, expires));
      // The query as it was signed; the fragment is not sent.
      return { method, url: `${url.origin}${path}?${signed}`, headers, body };
    }
    const added = calling(core, () => key.signHeaders(method, path, query, flat(url, headers), sha, now));
    const out = new Headers(headers);
    for (let at = 0; at < added.length; at += 2) out.set(added[at], added[at + 1]);
    return { method, url: `${url.origin}${path}${query === "" ? "" : `?${query}`}`, headers: out, body };
  };
}

/** A `fetch` for AWS, credentials and signatures included. */
export function awsClient(signRequest) {
  return class AwsClient {
    #options;

    constructor(options) {
      if (options?.credentials === undefined) throw invalidInput("no credentials are given: pass `credentials`, a provider for instance");
      this.#options = options;
    }

    /** The signed request. */
    async sign(input, init = {}) {
      const { method, url, headers, body } = await this.#signed(input, init);
      const { aws: _, method: __, headers: ___, body: ____, ...rest } = init;
      return new Request(url, { ...inherited(input), ...rest, method, headers, body, ...duplex(body) });
    }

    /** `fetch`, signed; sent again, signed anew, on 429 and 5xx, unless its body is a stream. */
    async fetch(input, init = {}) {
      const { fetch = globalThis.fetch, maxAttempts = MAX_ATTEMPTS } = { ...this.#options, ...init.aws };
      const { aws: _, method: __, headers: ___, body: ____, ...rest } = init;
      for (let attempt = 1; ; attempt += 1) {
        const { method, url, headers, body } = await this.#signed(input, init);
        const call = fetch; // not a method: browsers want `this` to be theirs
        const response = await call(url, { ...inherited(input), ...rest, method, headers, body, ...duplex(body) });
        const again = response.status === 429 || response.status >= 500;
        if (!again || attempt >= maxAttempts || isStream(body)) return response;
        await response.body?.cancel();
        await new Promise((done) => setTimeout(done, Math.random() * 100 * 2 ** attempt));
      }
    }

    #signed(input, init) {
      const { region, service, credentials } = this.#options;
      return signRequest(input, {
        region,
        service,
        credentials,
        ...init.aws,
        method: init.method,
        headers: init.headers,
        body: init.body,
      });
    }
  };
}

/** What stays of a `Request` beside what is signed. */
function inherited(input) {
  return isRequest(input) ? { signal: input.signal, redirect: input.redirect } : {};
}

const isRequest = (value) => Object.prototype.toString.call(value) === "[object Request]";
const isStream = (body) => typeof body?.getReader === "function";
const duplex = (body) => (isStream(body) ? { duplex: "half" } : {});

/** The parts of a request, whatever it came as. */
function parts(input, options) {
  const request = isRequest(input) ? input : undefined;
  let url;
  try {
    url = new URL(request?.url ?? String(input));
  } catch {
    throw invalidInput("the request is no `Request`, `URL` or absolute URL");
  }
  if (url.username !== "" || url.password !== "") throw invalidInput(`the URL of \`${url.host}\` holds a user name or a password: pass it without`);
  const headers = new Headers(options.headers ?? request?.headers);
  const body = options.body ?? request?.body ?? undefined;
  const method = (options.method ?? request?.method ?? (body === undefined ? "GET" : "POST")).toUpperCase();
  // `fetch` would add it after signing, which leaves it unsigned: fine, but not with these.
  if (typeof body === "object" && body instanceof URLSearchParams && !headers.has("content-type")) {
    headers.set("content-type", "application/x-www-form-urlencoded;charset=UTF-8");
  }
  if (typeof body === "string" && !headers.has("content-type")) headers.set("content-type", "text/plain;charset=UTF-8");
  const whole = request !== undefined && (options.body ?? undefined) === undefined && !["GET", "HEAD"].includes(method) ? request : undefined;
  return { url, method, headers, body, whole };
}

/** Name and value of all headers that are signed. */
function flat(url, headers) {
  const out = ["host", url.host];
  headers.forEach((value, name) => {
    if (name !== "host" && name !== "content-length") out.push(name, value);
  });
  return out;
}

/** The body's SHA-256, or nothing where it is not signed. */
async function payload({ url, headers, body }, { payloadSha256 }, { presign, s3 }) {
  const given = payloadSha256 ?? headers.get("x-amz-content-sha256") ?? undefined;
  const unsigned = () => {
    if (!s3 && (given !== UNSIGNED || presign !== false)) throw invalidInput("only S3 takes a payload that is not signed: pass `payloadSha256`, or the body as bytes");
    if (url.protocol !== "https:" && !isLoopback(url.hostname)) throw invalidInput("an unsigned payload is taken over https only: pass `payloadSha256`, or the body as bytes");
    headers.delete("x-amz-content-sha256");
    return undefined;
  };
  if (given === UNSIGNED) return unsigned();
  if (given !== undefined) {
    const bytes = typeof given === "string" ? fromHex(given) : bytesOrNothing(given);
    if (bytes?.length !== 32) throw invalidInput("`payloadSha256` is neither 64 hexadecimal digits, 32 bytes, nor `UNSIGNED-PAYLOAD`");
    headers.delete("x-amz-content-sha256");
    return bytes;
  }
  // A presigned URL of S3 is made before its body is known.
  if (presign !== false && s3) return unsigned();
  if (body === undefined || body === null) return EMPTY_SHA256;
  const bytes = body instanceof URLSearchParams ? utf8(body.toString()) : bytesOrNothing(body);
  if (bytes !== undefined) return sha256(bytes);
  if (typeof body.arrayBuffer === "function" && !isStream(body)) return sha256(new Uint8Array(await body.arrayBuffer())); // Blob
  if (isStream(body) || s3) return unsigned();
  throw invalidInput("the body is of a kind that cannot be hashed before it is sent: pass bytes, a string, a Blob or URLSearchParams");
}

const isLoopback = (host) => host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
