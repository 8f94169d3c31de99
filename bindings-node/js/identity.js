// Certificates and keys as Node has them: paths, contents, variables, `KeyObject`s. Files and variables are read
// when they are first wanted, and again at a renewal when they have changed.

import { KeyObject, constants as cryptography, createHash, sign } from "node:crypto";
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { RolesAnywhereError, isRolesAnywhereError, readIdentity } from "rolesanywhere-wasm/bind";

import { load } from "./core.js";
import { PARAMETERS, Variable, isPath, readFile } from "./sources.js";

/** The options that make an identity. */
export const PARTS = ["certificate", "certificateChain", "privateKey", "password", "signer"];
// Files that were written less long ago may not belong together: their writer is between the
// certificate and the key.
const ROTATION_MILLISECONDS = 2000;

/**
 * What gives the shared provider an identity: the same until a file changes. While changed files
 * cannot be used, the last identity is, as long as its certificate is valid.
 */
export function identitySource(given, { logger, clock = Date.now }) {
  let held; // { identity, stamp }
  let places;
  return async () => {
    if (given === null || typeof given !== "object") return given; // which the provider refuses
    places ??= await placesOf(given);
    const stamp = await stampOf(places);
    if (held !== undefined && held.stamp === stamp) return held.identity;
    try {
      held = await readWhole(given, places, stamp);
    } catch (error) {
      if (held === undefined || held.identity.chain.notAfter * 1000 <= clock()) throw error;
      logger?.warn?.(`rolesanywhere: the changed files cannot be used, the last identity is used on: ${error.message}`);
    }
    return held.identity;
  };
}

/** Reads the files; while they do not belong together and were just written, again. */
async function readWhole(given, places, stamp) {
  const until = Date.now() + ROTATION_MILLISECONDS;
  for (let seen = stamp; ; seen = await stampOf(places)) {
    try {
      return { identity: await readOnce(given, places), stamp: seen };
    } catch (error) {
      const torn = isRolesAnywhereError(error, "key_mismatch") && (await justWritten(places));
      if (!torn || Date.now() >= until) throw error;
      await sleep(50);
    }
  }
}

async function readOnce(given, { paths, variables }) {
  const contents = { ...given };
  const buffers = [];
  const put = (name, content) => {
    contents[name] = content;
    buffers.push(content);
  };
  try {
    for (const [name, path] of paths) put(name, await readFile(path, PARAMETERS[name]));
    for (const [name, variable] of variables) put(name, await variable.read());
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

/** The parts that are elsewhere: in files, in variables. */
async function placesOf(given) {
  const paths = [];
  const variables = [];
  for (const [name, parameter] of Object.entries(PARAMETERS)) {
    const source = given[name];
    if (source instanceof Variable) variables.push([name, source]);
    else if (await isPath(source, parameter)) paths.push([name, source]);
  }
  return { paths, variables };
}

/** What changes when one of the files or variables does. */
async function stampOf({ paths, variables }) {
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
  const digests = variables.map(([, variable]) => createHash("sha256").update(variable.state()).digest("hex"));
  return [...stamps, ...digests].join("\n");
}

async function justWritten({ paths }) {
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
