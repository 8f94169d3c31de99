// The module that opens encrypted keys, PKCS#12, PKCS#7 and BER. One file in many needs it: it is
// loaded when the core finds such a file, and not before.

import { RolesAnywhereError, wrapped } from "./errors.js";

/**
 * The same core, and how its host loads the other module: `load` returns the module's functions, or
 * a promise of them. It is called when they are first needed; when it fails, it is called again.
 */
export function withContainers(core, load) {
  let loading;
  const containers = () =>
    (loading ??= Promise.resolve()
      .then(load)
      .catch((thrown) => {
        loading = undefined; // a network that was away may come back
        throw wrapped("transport_failed", "the module that opens encrypted keys and containers cannot be loaded", thrown);
      }));
  return { ...core, containers };
}

/**
 * Calls `read` with files as the core reads them: `files` are pairs of a file and the function that
 * opens it. What is wrong with a file stands in what that function returns, and the core throws it.
 */
export async function readOpened(core, files, password, read) {
  const made = [];
  try {
    const opened = [];
    for (const [file, name] of files) opened.push(await openedFile(core, file, name, password, made));
    return await read(...opened);
  } finally {
    for (const bytes of made) bytes.fill(0);
  }
}

async function openedFile(core, file, name, password, made) {
  // A core that opens everything itself, or one that opens nothing, has no such function.
  if (file === undefined || core.containers === undefined) return file;
  if (!core.isContainer(file, name !== "openCertificates")) return file;
  const containers = await core.containers();
  const bytes = containers[name](file, password);
  made.push(bytes);
  return bytes;
}

/** For a host that was handed no such module. */
export function noContainers() {
  throw new RolesAnywhereError(
    "unsupported",
    "the key or certificate is encrypted or in a container (PKCS#12, PKCS#7): pass `{ containers }` to `initialize`, the module `rolesanywhere-wasm/containers.wasm`, or convert the file with `openssl pkcs12 -nodes` or `openssl pkey`",
  );
}
