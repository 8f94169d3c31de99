// What sends requests: the AWS SDK's request handlers (their proxies, CA bundles and connections), or
// Node's own `fetch`.

import https from "node:https";
import { Readable } from "node:stream";
import { RolesAnywhereError } from "rolesanywhere-wasm/bind";

/**
 * The `fetch` of a provider: the caller's own, his request handler, that of the SDK's client which asks
 * for credentials, or Node's.
 */
export function fetchThrough({ fetch, requestHandler }, caller) {
  if (requestHandler !== undefined && typeof requestHandler?.handle !== "function") {
    const text = "the request handler has no `handle`: pass one of the AWS SDK's, `new NodeHttpHandler(…)` for instance";
    throw new RolesAnywhereError("invalid_input", text);
  }
  if (fetch !== undefined) {
    if (requestHandler !== undefined) {
      throw new RolesAnywhereError("invalid_input", "both `fetch` and `requestHandler` are given: pass one of them");
    }
    return fetch;
  }
  return (url, init) => {
    const handler = requestHandler ?? ofClient(caller.client);
    return handler === undefined ? globalThis.fetch(url, init) : handled(handler, url, init);
  };
}

/** The handler of an SDK's client. HTTP/2 ones are made for the one host that the client talks to. */
function ofClient(client) {
  const handler = client?.requestHandler;
  const usable = typeof handler?.handle === "function" && handler.metadata?.handlerProtocol !== "h2";
  return usable ? handler : undefined;
}

async function handled(handler, url, { method, headers, body, signal }) {
  const { protocol, hostname, port, pathname, search, host } = new URL(url);
  const { response } = await handler.handle(
    {
      protocol,
      hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: port === "" ? undefined : Number(port),
      method,
      // As it was signed: handlers write a query anew, and in their own way.
      path: pathname + search,
      query: {},
      headers: { ...Object.fromEntries(headers), host, "content-length": String(body.length) },
      body,
    },
    { abortSignal: signal },
  );
  return answered(response.statusCode, response.headers, response.body);
}

/** As much of a `Response` as the provider looks at. */
function answered(status, headers, body) {
  const stream = body instanceof Readable ? Readable.toWeb(body) : body;
  if (typeof stream?.getReader === "function") return { status, headers: headersOf(headers), body: stream };
  const whole = typeof stream?.arrayBuffer === "function" ? stream : new Blob([stream ?? ""]);
  const arrayBuffer = () => whole.arrayBuffer();
  return { status, headers: headersOf(headers), body: null, arrayBuffer };
}

function headersOf(record) {
  const headers = new Headers();
  for (const [name, value] of Object.entries(record ?? {})) {
    for (const one of [value].flat()) if (one !== undefined) headers.append(name, one);
  }
  return headers;
}

/** A `fetch` over node:https that trusts what it is told to. */
export function trusting(options) {
  return async (url, { method, headers, body, signal }) => {
    const response = await new Promise((done, fail) => {
      const request = https.request(url, { ...options, method, headers: Object.fromEntries(headers), signal }, done);
      request.on("error", fail);
      request.end(body);
    });
    return answered(response.statusCode, response.headers, response);
  };
}
