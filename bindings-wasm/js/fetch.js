// One request over the host's `fetch`: sent as it is, the answer read as far as a session may be long.

import { concat } from "./bytes.js";

/** `headers` are flat pairs. Resolves to `{ status, headers, body }` of the answer. */
export async function send(fetch, request, signal, maxLength) {
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
  return { status, headers: answered, body: await readBody(response, maxLength) };
}

/** The body; of one that is longer than `maxLength` a little more than that. */
async function readBody(response, maxLength) {
  if (typeof response.body?.getReader !== "function") return new Uint8Array(await response.arrayBuffer());
  const reader = response.body.getReader();
  const parts = [];
  let length = 0;
  while (length <= maxLength) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    parts.push(value);
    length += value.length;
  }
  reader.cancel().catch(() => {});
  return concat(...parts);
}
