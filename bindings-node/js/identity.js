// Certificates and keys as Node has them: paths, contents, `KeyObject`s. Files are read when they are
// first wanted, and again at a renewal when they have changed.

import { KeyObject, constants, sign } from "node:crypto";
import { open, stat } from "node:fs/promises";
import { RolesAnywhereError, identityFailures, readIdentity } from "rolesanywhere-wasm/bind";

import { load } from "./core.js";

/** The options that make an identity. */
export const PARTS = ["certificate", "certificateChain", "privateKey", "password", "signer"];
const FILES = { certificate: "certificate", certificateChain: "certificate chain", privateKey: "private key" };
// A bundle of certificates, or a key in several formats, is shorter.
const MAX_FILE_LENGTH = 1 << 20;

/**
 * What gives the shared provider an identity: the same until a file changes. With the error of files that
 * cannot be read the core is told when they were modified, and the last identity: it decides.
 */
export function identitySource(given) {
  let held; // { identity, stamp }
  return async () => {
    if (given === null || typeof given !== "object") return given; // which the provider refuses
    const paths = pathsOf(given);
    const { stamp, modified } = await stateOf(paths);
    if (held !== undefined && held.stamp === stamp) return held.identity;
    try {
      held = { identity: await readOnce(given), stamp };
      return held.identity;
    } catch (error) {
      identityFailures.set(error, { modified, last: held?.identity });
      throw error;
    }
  };
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

async function readFile(path, what) {
  let file;
  try {
    file = await open(path);
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

/** A text that changes when one of the files does, and when the newest of them was modified. */
async function stateOf(paths) {
  const states = await Promise.all(
    paths.map(async ([, path]) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
        return { stamp: [dev, ino, size, mtimeNs, ctimeNs].join(" "), modified: Number(mtimeNs / 1_000_000n) };
      } catch {
        return { stamp: "none" }; // reading it will say what is wrong
      }
    }),
  );
  const times = states.map(({ modified }) => modified).filter((time) => time !== undefined);
  return { stamp: states.map(({ stamp }) => stamp).join("\n"), modified: times.length === 0 ? undefined : Math.max(...times) };
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
  const options = kind === "rsa" ? { key, padding: constants.RSA_PKCS1_PADDING } : { key, dsaEncoding: "der" };
  return (message) =>
    new Promise((done, fail) => {
      sign(hash, message, options, (error, signature) => (error === null ? done(signature) : fail(error)));
    });
}
