// Where certificates, keys and passwords are: in files, in variables, or here.
//
// What a value names, and what an error may repeat of it, is decided by the core. A value may be a secret in the
// wrong place; so errors that hold it, as Node's own do, are not the cause of ours.

import { lstat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { getSystemErrorMap } from "node:util";
import { RolesAnywhereError, calling } from "rolesanywhere-wasm/bind";

import { load } from "./core.js";
import { NotAFile, openFile } from "./files.js";

// A bundle of certificates, or a key in several formats, is shorter.
const MAX_FILE_LENGTH = 1 << 20;
const MAX_PASSWORD_LENGTH = 65_536;

/** A parameter that says where a part of the identity is: how the user writes it, and which part it is for. */
export const parameter = (name, part, inCode) => ({ name, part, inCode });

/** The options that name a part of an identity. */
export const PARAMETERS = {
  certificate: parameter("`certificate`", "certificate", true),
  certificateChain: parameter("`certificateChain`", "certificate chain", true),
  privateKey: parameter("`privateKey`", "private key", true),
};

/** Content in an environment variable, read when it is wanted. */
export class Variable {
  #name;
  #parameter;

  constructor(name, parameter) {
    this.#name = name;
    this.#parameter = parameter;
  }

  /** The content, which the caller wipes. */
  async read() {
    const value = process.env[this.#name];
    if (value !== undefined && value !== "") return Buffer.from(value);
    const core = await load();
    const { name, part } = this.#parameter;
    return calling(core, () => core.refuseUnset(name, part));
  }

  /** What changes with the content. */
  state() {
    return process.env[this.#name] ?? "";
  }
}

/**
 * The source that a profile's key or a flag gives: a path, content, or a variable. `kind` says which; `stream`,
 * standard input or a descriptor, is for the caller to refuse.
 */
export async function configured(value, parameter) {
  const core = await load();
  const [kind, name] = calling(core, () => core.sourceOf(value, parameter.name, parameter.part, parameter.inCode));
  return kind === "variable" ? { kind, source: new Variable(name, parameter) } : { kind, source: value };
}

/** Throws: a library reads no stream. */
export async function refuseStream({ name, part }) {
  const core = await load();
  return calling(core, () => core.refuseStream(name, part));
}

/** Whether an option is a path. A text is one unless it is content. */
export async function isPath(source, parameter) {
  if (source instanceof URL) return true;
  return typeof source === "string" && (await configured(source, parameter)).kind === "path";
}

export const expanded = (path) => (/^~(?=$|[/\\])/.test(path) ? join(homedir(), path.slice(1)) : path);

/** The content of a file, which the caller wipes. `path` may be a URL. */
export async function readFile(path, parameter) {
  let file;
  let reason;
  let cause;
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
    buffer.fill(0);
    reason = `it is longer than ${MAX_FILE_LENGTH} bytes`;
  } catch (error) {
    [reason, cause] = told(error);
  } finally {
    await file?.close();
  }
  return refuseUnreadable(path, parameter, reason, cause);
}

/** A password, read when it is wanted: from a file, up to its final newline, or from a variable. */
export async function passwordFrom(value, parameter) {
  const { kind, source } = await configured(value, parameter);
  if (kind === "stream") return refuseStream(parameter);
  if (kind === "variable") return () => source.read();
  return async () => {
    const content = await readFile(expanded(value), parameter);
    let { length } = content;
    while (length > 0 && [0x0a, 0x0d].includes(content[length - 1])) length -= 1;
    return content.subarray(0, Math.min(length, MAX_PASSWORD_LENGTH));
  };
}

async function refuseUnreadable(path, { name, part, inCode }, reason, cause) {
  const core = await load();
  const found = await lstat(path).then(
    () => true,
    () => false,
  );
  try {
    calling(core, () => core.refuseUnreadable(textOf(path), name, part, inCode, found, reason));
  } catch (error) {
    throw new RolesAnywhereError(error.code, error.message, { cause });
  }
}

function textOf(path) {
  if (!(path instanceof URL)) return path;
  try {
    return fileURLToPath(path);
  } catch {
    return path.href;
  }
}

/** What the system says, and an error that says no more: Node's message and its properties hold the path. */
function told(error) {
  if (error instanceof NotAFile) return [error.message, undefined];
  const { code = "unknown", errno, syscall } = error;
  const [, description] = getSystemErrorMap().get(errno) ?? [];
  const reason = description === undefined ? code : `${code}: ${description}`;
  return [reason, Object.assign(new Error(reason), { code, errno, syscall })];
}
