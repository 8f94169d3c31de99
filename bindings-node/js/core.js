// The core: the addon for this machine, or the WebAssembly module where none fits.

import { createRequire } from "node:module";
import { debuglog } from "node:util";
import { RolesAnywhereError } from "rolesanywhere-wasm/bind";

const VARIABLE = "ROLESANYWHERE_BACKEND";
const requireFrom = createRequire(import.meta.url);
const debug = debuglog("rolesanywhere");
let chosen; // { core, kind, reason }, or a promise of it

/** The core, or a promise of it. */
export function load() {
  const { core } = (chosen ??= choose());
  return core ?? chosen.then((choice) => choice.core);
}

/** Which core it is. */
export async function backend() {
  const { kind, reason } = await (chosen ??= choose());
  return reason === undefined ? { kind } : { kind, reason };
}

let told = false;

/** Tells a logger, once in the process, that the addon is not used. */
export async function announce(logger) {
  if (told || typeof logger?.debug !== "function") return;
  const { kind, reason } = await backend();
  if (kind === "native" || told) return;
  told = true;
  logger.debug(fallbackText(reason));
}

const fallbackText = (reason) => `rolesanywhere: the WebAssembly module is used: ${reason}`;

function choose() {
  const wanted = process.env[VARIABLE];
  if (wanted === "wasm") return fallback(`\`${VARIABLE}\` is \`wasm\``);
  const { core, reason } = native();
  if (core !== undefined) return { core, kind: "native" };
  if (wanted === "native") throw new RolesAnywhereError("unsupported", `\`${VARIABLE}\` is \`native\`, but ${reason}`);
  return fallback(reason);
}

async function fallback(reason) {
  debug(fallbackText(reason));
  try {
    const { load: loadModule } = await import("rolesanywhere-wasm/core");
    return (chosen = { core: loadModule(), kind: "wasm", reason });
  } catch (error) {
    chosen = undefined;
    throw new RolesAnywhereError("unsupported", `${reason}, and the WebAssembly module cannot be loaded: ${error.message}`, { cause: error });
  }
}

/** The addon of this machine's package, or why there is none. */
function native() {
  const reasons = [];
  for (const name of packages()) {
    try {
      const core = requireFrom(name);
      const { version } = requireFrom("../package.json");
      if (core.version() === version) return { core };
      reasons.push(`${name} is of version ${core.version()}, this package of ${version}`);
    } catch (error) {
      // The first line: Node appends the stack of modules that wanted it.
      const [line] = String(error.message).split("\n");
      reasons.push(error.code === "MODULE_NOT_FOUND" ? `${name} is not installed` : `${name} cannot be loaded: ${line}`);
    }
  }
  return { reason: reasons.join("; ") };
}

/** The packages that may hold the addon: npm installs those whose `os`, `cpu` and `libc` fit. */
function packages() {
  const { platform, arch } = process;
  const suffixes = { linux: ["-gnu", "-musl"], win32: ["-msvc"] }[platform] ?? [""];
  return suffixes.map((suffix) => `@rolesanywhere/${platform}-${arch}${suffix}`);
}
