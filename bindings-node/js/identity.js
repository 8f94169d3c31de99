// Certificates and keys as Node has them: paths, contents, `KeyObject`s. Files are read when they are
// first wanted, and again at a renewal when they have changed.

import { KeyObject, constants as cryptography, sign } from "node:crypto";
import { constants, open, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { RolesAnywhereError, isRolesAnywhereError, readIdentity } from "rolesanywhere-wasm/bind";

import { load } from "./core.js";

/** The options that make an identity. */
export const PARTS = ["certificate", "certificateChain", "privateKey", "password", "signer"];
const FILES = { certificate: "certificate", certificateChain: "certificate chain", privateKey: "private key" };
// A bundle of certificates, or a key in several formats, is shorter.
const MAX_FILE_LENGTH = 1 << 20;
// Files that were written less long ago may not belong together: their writer is between the
// certificate and the key.
const ROTATION_MILLISECONDS = 2000;

/**
 * What gives the shared provider an identity: the same until a file changes. While changed files
 * cannot be used, the last identity is, as long as its certificate is valid.
 */
export function identitySource(given, { logger, clock = Date.now }) {
  let held; // { identity, stamp }
  return async () => {
    if (given === null || typeof given !== "object") return given; // which the provider refuses
    const paths = pathsOf(given);
    const stamp = await stampOf(paths);
    if (held !== undefined && held.stamp === stamp) return held.identity;
    try {
      held = await readWhole(given, paths, stamp);
    } catch (error) {
      if (held === undefined || held.identity.chain.notAfter * 1000 <= clock()) throw error;
      logger?.warn?.(`rolesanywhere: the changed files cannot be used, the last identity is used on: ${error.message}`);
    }
    return held.identity;
  };
}

/** Reads the files; while they do not belong together and were just written, again. */
async function readWhole(given, paths, stamp) {
  const until = Date.now() + ROTATION_MILLISECONDS;
  for (let seen = stamp; ; seen = await stampOf(paths)) {
    try {
      return { identity: await readOnce(given), stamp: seen };
    } catch (error) {
      const torn = isRolesAnywhereError(error, "key_mismatch") && (await justWritten(paths));
      if (!torn || Date.now() >= until) throw error;
      await sleep(50);
    }
  }
}

async function readOnce(given) {
  const contents = { ...given };
  const buffers = [];
  try {
    for (const [name, path] of pathsOf(given)) {
      contents[name] = await readFile(path, FILES[name]);
      buffers.push(contents[name]);
    }
    if (given.privateKey instanceof KeyObject && given.signer === undefined) {
      delete contents.privateKey;
      contents.signer = signerOf(given.privateKey);
    }
    return await readIdentity(await load(), contents);
  } finally {
    for (const buffer of buffers) buffer.fill(0);
  }
}

// ---- files

/** The parts that are paths. A text is one unless it is PEM. */
function pathsOf(given) {
  const isPath = (source) => source instanceof URL || (typeof source === "string" && !source.includes("-----BEGIN"));
  return Object.keys(FILES)
    .filter((name) => isPath(given[name]))
    .map((name) => [name, given[name]]);
}

/**
 * Opens a file to read it. What is none is refused: files are read again at a renewal, which a pipe is not,
 * and opening one that nobody writes to would keep a thread for ever.
 */
export async function openFile(path) {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0));
  } catch (error) {
    if (error.code !== "ENOENT" || !`${path}`.startsWith("~")) throw error;
    throw new Error("there is no such file; `~` stands for a home directory in a shell only: write the whole path", { cause: error });
  }
  const status = await file.stat();
  if (status.isFile()) return file;
  await file.close();
  const kind = status.isDirectory() ? "a directory" : status.isFIFO() ? "a pipe" : status.isSocket() ? "a socket" : "a device";
  throw new Error(`it is ${kind}, not a file: pass what it holds, or write that to a file`);
}

async function readFile(path, what) {
  let file;
  try {
    file = await openFile(path);
    // Without `readFile`, so that no copy of a key stays behind in the pieces that it joins.
    let buffer = Buffer.alloc(Math.min((await file.stat()).size, MAX_FILE_LENGTH) + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0) return buffer.subarray(0, length);
      if (length > MAX_FILE_LENGTH) break;
      if (length === buffer.length) {
        const longer = Buffer.alloc(Math.min(2 * length + 4096, MAX_FILE_LENGTH + 1));
        buffer.copy(longer);
        buffer.fill(0);
        buffer = longer;
      }
    }
  } catch (error) {
    throw new RolesAnywhereError("invalid_input", `the ${what} \`${nameOf(path)}\` cannot be read: ${error.message}`, { cause: error });
  } finally {
    await file?.close();
  }
  throw new RolesAnywhereError(
    "invalid_input",
    `the ${what} \`${nameOf(path)}\` is longer than ${MAX_FILE_LENGTH} bytes: check that it is the file that is meant`,
  );
}

const nameOf = (path) => (path instanceof URL ? path.href : path);

/** What changes when one of the files does. */
async function stampOf(paths) {
  const stamps = await Promise.all(
    paths.map(async ([, path]) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
        return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
      } catch {
        return "none"; // reading it will say what is wrong
      }
    }),
  );
  return stamps.join("\n");
}

async function justWritten(paths) {
  const ages = await Promise.all(
    paths.map(([, path]) => stat(path).then(({ mtimeMs }) => Math.abs(Date.now() - mtimeMs), () => Infinity)),
  );
  return ages.some((age) => age < ROTATION_MILLISECONDS);
}

// ---- keys of node:crypto

/** Signs with a key that stays in OpenSSL's hands, on a thread of libuv's. */
function signerOf(key) {
  const kind = key.asymmetricKeyType;
  const known = kind === "rsa" || kind === "ec" || kind?.startsWith("ml-dsa-");
  if (key.type !== "private" || !known) {
    const what = key.type === "private" ? kind : key.type;
    throw new RolesAnywhereError("unsupported", `the KeyObject is ${what}: pass a private key of RSA, EC or ML-DSA`);
  }
  const hash = kind.startsWith("ml-dsa-") ? undefined : "sha256";
  const options = kind === "rsa" ? { key, padding: cryptography.RSA_PKCS1_PADDING } : { key, dsaEncoding: "der" };
  return (message) =>
    new Promise((done, fail) => {
      sign(hash, message, options, (error, signature) => (error === null ? done(signature) : fail(error)));
    });
}
