// Bytes and texts.

import { invalidInput } from "./errors.js";

const encoder = new TextEncoder();

export const utf8 = (text) => encoder.encode(text);

/** The bytes of a text (UTF-8), an `ArrayBuffer` or a view of one; `what` names it in the error. */
export function bytesOf(source, what) {
  const bytes = bytesOrNothing(source);
  if (bytes === undefined) {
    throw invalidInput(`${what} is neither a string nor bytes: pass the content, not a path or a handle`);
  }
  return bytes;
}

export function bytesOrNothing(source) {
  if (typeof source === "string") return utf8(source);
  if (source instanceof Uint8Array) return source;
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  // An `ArrayBuffer` of another realm (a frame, `vm`) is not an instance of ours.
  const name = Object.prototype.toString.call(source);
  if (name === "[object ArrayBuffer]" || name === "[object SharedArrayBuffer]") return new Uint8Array(source);
  return undefined;
}

export function concat(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function fromHex(text) {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
