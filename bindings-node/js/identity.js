// Certificates and keys as Node has them: paths, contents, variables, `KeyObject`s. Files and variables are read
// when they are first wanted, and again at a renewal when they have changed.

import { KeyObject, constants as cryptography, createHash, sign } from "node:crypto";
import { stat } from "node:fs/promises";
import { RolesAnywhereError, identityFailures, readIdentity } from "rolesanywhere-wasm/bind";

import { load } from "./core.js";
import { PARAMETERS, Variable, isPath, readFile } from "./sources.js";

/** The options that make an identity. */
export const PARTS = ["certificate", "certificateChain", "privateKey", "password", "signer"];

/**
 * What gives the shared provider an identity: the same until a file changes. With the error of files that
 * cannot be read the core is told when they were modified, and the last identity: it decides.
 */
export function identitySource(given) {
  let held; // { identity, stamp }
  let places;
  return async () => {
    if (given === null || typeof given !== "object") return given; // which the provider refuses
    places ??= await placesOf(given);
    const { stamp, modified } = await stateOf(places);
    if (held !== undefined && held.stamp === stamp) return held.identity;
    try {
      held = { identity: await readOnce(given, places), stamp };
      return held.identity;
    } catch (error) {
      identityFailures.set(error, { modified, last: held?.identity });
      throw error;
    }
  };
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

/** A text that changes when one of the files or variables does, and when the newest file was modified. */
async function stateOf({ paths, variables }) {
  const states = await Promise.all(
    paths.map(async ([, path]) => {
      try {
        const status = await stat(path, { bigint: true });
        const { dev, ino, size, mtimeNs, ctimeNs } = status;
        // A pipe or a directory is not half written: it is refused however new it is.
        const modified = status.isFile() ? Number(mtimeNs / 1_000_000n) : undefined;
        return { stamp: [dev, ino, size, mtimeNs, ctimeNs].join(" "), modified };
      } catch {
        return { stamp: "none" }; // reading it will say what is wrong
      }
    }),
  );
  const digests = variables.map(([, variable]) => createHash("sha256").update(variable.state()).digest("hex"));
  const times = states.map(({ modified }) => modified).filter((time) => time !== undefined);
  return {
    stamp: [...states.map(({ stamp }) => stamp), ...digests].join("\n"),
    modified: times.length === 0 ? undefined : Math.max(...times),
  };
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
