// Profiles of `~/.aws/config`: our own keys, and `credential_process` lines that call the signing
// helper, which are served in this process.

import { homedir } from "node:os";
import { basename } from "node:path";
import { RolesAnywhereError, isRolesAnywhereError } from "rolesanywhere-wasm/bind";

import { trusting } from "./handler.js";
import { openFile } from "./files.js";
import { Variable, configured, expanded, parameter, passwordFrom, refuseStream } from "./sources.js";

/** What the keys of a profile begin with. */
const PREFIX = "rolesanywhere_";
/** The keys, without the prefix, and the options that they set; the same as in Python. */
const KEYS = {
  trust_anchor_arn: "trustAnchorArn",
  profile_arn: "profileArn",
  role_arn: "roleArn",
  certificate: "certificate",
  private_key: "privateKey",
  certificate_chain: "certificateChain",
  password_file: "passwordFile",
  region: "region",
  endpoint: "endpoint",
  session_duration: "durationSeconds",
  role_session_name: "roleSessionName",
};
const REQUIRED = ["trust_anchor_arn", "profile_arn", "role_arn", "certificate"];
const PROGRAMS = ["aws_signing_helper", "rolesanywhere"];
/** The default of both programs. */
const DEFAULT_DURATION = "3600";
/**
 * Flags of `credential-process` with a value, of either program. A flag that is in no table (a PKCS#11
 * library, a TPM, a certificate store) is the program's own.
 */
const FLAGS = {
  "--arns-in": "arnPlacement",
  "--ca-bundle": "caBundle",
  "--cache-dir": undefined, // sessions are kept in memory here
  "--certificate": "certificate",
  "--connect-timeout": "connectTimeout",
  "--endpoint": "endpoint",
  "--intermediates": "certificateChain",
  "--password-env": "passwordEnv",
  "--password-file": "passwordFile",
  "--pkcs8-password": "password",
  "--private-key": "privateKey",
  "--profile-arn": "profileArn",
  "--region": "region",
  "--request-timeout": "requestTimeout",
  "--role-arn": "roleArn",
  "--role-session-name": "roleSessionName",
  "--session-duration": "durationSeconds",
  "--trust-anchor-arn": "trustAnchorArn",
};
const SWITCHES = {
  "--debug": undefined,
  "--no-cache": undefined,
  "--no-verify-ssl": "noVerifySsl",
  "--use-dualstack-endpoint": "dualStack",
  "--use-fips-endpoint": "fips",
  "--verbose": undefined,
  "--with-proxy": "withProxy",
};
/** What a switch may be set to: what Go's `strconv.ParseBool` reads, as the AWS helper does. */
const BOOLEANS = {
  __proto__: null, // so that no inherited name is a value
  ...Object.fromEntries(["1", "t", "T", "TRUE", "true", "True"].map((word) => [word, true])),
  ...Object.fromEntries(["0", "f", "F", "FALSE", "false", "False"].map((word) => [word, false])),
};
/** The options that say where a part of the identity is: the part, the profile's key, and the flag. */
const PARTS = {
  certificate: ["certificate", "certificate", "--certificate"],
  privateKey: ["private key", "private_key", "--private-key"],
  certificateChain: ["certificate chain", "certificate_chain", "--intermediates"],
};

/**
 * The options of `fromRolesAnywhere` that a profile sets, under those that `init` gives. When it sets
 * none, the error bears `tryNextLink`: the SDK's `createCredentialChain` goes on to the next provider.
 */
export async function optionsOfProfile({ profile, configFilepath, filepath, ...init }) {
  // Loaded here: whoever has no profile does not need it.
  const { getProfileName, parseKnownFiles } = await import("@smithy/core/config");
  const name = getProfileName({ profile });
  const known = await parseKnownFiles({ configFilepath, filepath, ignoreCache: true });
  const section = known[name];
  if (section === undefined) throw passing(`there is no profile \`${name}\`: check \`~/.aws/config\` and \`AWS_PROFILE\``);
  const found = (await fromKeys(section, name)) ?? (await fromCredentialProcess(section.credential_process, init));
  if (found === undefined) {
    throw passing(
      `the profile \`${name}\` has no \`${PREFIX}…\` keys, and no \`credential_process\` line of \`aws_signing_helper\` that can be served without it`,
    );
  }
  return { ...fromSettings(section, found), ...found, ...defined(init) };
}

function passing(message) {
  return Object.assign(new RolesAnywhereError("invalid_input", message), { tryNextLink: true });
}

const defined = (init) => Object.fromEntries(Object.entries(init).filter(([, value]) => value !== undefined));

// ---- our keys

async function fromKeys(section, name) {
  const values = Object.entries(KEYS).flatMap(([key, option]) => {
    const value = section[PREFIX + key];
    return value ? [[option, value]] : []; // An empty value is none.
  });
  if (values.length === 0) return undefined;
  const missing = REQUIRED.filter((key) => !section[PREFIX + key]);
  if (missing.length > 0) {
    const names = missing.map((key) => `\`${PREFIX}${key}\``).join(", ");
    throw new RolesAnywhereError("invalid_input", `the profile \`${name}\` has no ${names}: set it`);
  }
  const { passwordFile, durationSeconds, ...options } = Object.fromEntries(values);
  for (const [option, [part, key]] of Object.entries(PARTS)) {
    if (options[option] === undefined) continue;
    const named = parameter(PREFIX + key, part, false);
    const { kind, source } = await configured(options[option], named);
    if (kind === "stream") await refuseStream(named);
    options[option] = kind === "path" ? expanded(source) : source;
  }
  if (passwordFile !== undefined) options.password = await passwordFrom(passwordFile, parameter(`${PREFIX}password_file`, "password", false));
  if (durationSeconds !== undefined) {
    if (!/^\d+$/.test(durationSeconds)) {
      throw new RolesAnywhereError(
        "invalid_input",
        `\`${PREFIX}session_duration\` of the profile \`${name}\` is \`${durationSeconds}\`: write a number of seconds`,
      );
    }
    options.durationSeconds = Number(durationSeconds);
  }
  return options;
}

async function contentOf(path) {
  const file = await openFile(path);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

// ---- `credential_process`

/**
 * The options of a line, or nothing when it is another program's, or wants what only its program does:
 * PKCS#11, a TPM, an SSH agent, a certificate store, the environment's proxy.
 */
async function fromCredentialProcess(line, { fetch, requestHandler }) {
  const words = wordsOf(line ?? "");
  const program = basename(words?.[0]?.replaceAll("\\", "/") ?? "").toLowerCase().replace(/\.exe$/, "");
  if (!PROGRAMS.includes(program) || words[1] !== "credential-process") return undefined;
  const values = valuesOf(words.slice(2));
  if (values === undefined || REQUIRED.some((key) => values[KEYS[key]] === undefined)) return undefined;
  const { caBundle, noVerifySsl, withProxy, connectTimeout, requestTimeout, passwordEnv, passwordFile, ...options } = values;
  if ([options.certificate, options.privateKey ?? ""].some((place) => /^(?:pkcs11|handle|ssh-agent):/.test(place))) return undefined;
  // A TPM's key may also be in the certificate's file.
  for (const place of [options.certificate, options.privateKey]) {
    if (place !== undefined && (await isTpmKey(place))) return undefined;
  }
  const numbers = [options.durationSeconds, connectTimeout, requestTimeout].filter((text) => text !== undefined);
  if (!numbers.every((text) => /^\d+(?:\.\d+)?$/.test(text))) return undefined; // the program says what is wrong
  options.durationSeconds = Number(options.durationSeconds);
  if (requestTimeout !== undefined) options.timeoutMilliseconds = 1000 * (Number(requestTimeout) + Number(connectTimeout ?? 0));
  for (const [option, [part, , flag]] of Object.entries(PARTS)) {
    if (options[option] === undefined) continue;
    const source = await ofLine(() => configured(options[option], parameter(flag, part, false)));
    if (source === undefined) return undefined;
    options[option] = source;
  }
  if (passwordEnv !== undefined) {
    const variable = new Variable(passwordEnv, parameter("--password-env", "password", false));
    options.password = () => variable.read();
  }
  if (passwordFile !== undefined) {
    const named = parameter("--password-file", "password", false);
    const { kind } = (await unlessRefused(() => configured(passwordFile, named))) ?? { kind: "stream" };
    if (kind === "stream") return undefined;
    options.password = await passwordFrom(passwordFile, named);
  }
  if (fetch === undefined && requestHandler === undefined) {
    // Whoever passes a handler decides on proxies and trust himself.
    if (withProxy) return undefined;
    if (noVerifySsl) options.fetch = trusting({ rejectUnauthorized: false });
    else if (caBundle !== undefined) options.fetch = trusting({ ca: await bundleOf(caBundle) });
  }
  return options;
}

/** What a flag of a line names; nothing for what its program reads or refuses: a descriptor, content on a command line. */
async function ofLine(read) {
  const { kind, source } = (await unlessRefused(read)) ?? {};
  return kind === "path" || kind === "variable" ? source : undefined;
}

async function unlessRefused(read) {
  try {
    return await read();
  } catch (error) {
    if (!isRolesAnywhereError(error)) throw error;
    return undefined; // the program says what is wrong
  }
}

/** The values of the flags, texts, and of the switches; nothing when a flag or a switch's value is unknown. */
function valuesOf(words) {
  const values = { durationSeconds: DEFAULT_DURATION };
  const rest = words[Symbol.iterator]();
  for (const word of rest) {
    const [, flag, given] = /^(--[^=]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
    if (Object.hasOwn(SWITCHES, flag ?? "")) {
      const isOn = BOOLEANS[given ?? "true"];
      if (isOn === undefined) return undefined; // the program says what is wrong
      if (SWITCHES[flag] !== undefined) values[SWITCHES[flag]] = isOn;
    } else if (Object.hasOwn(FLAGS, flag ?? "")) {
      const value = given ?? rest.next().value;
      if (value === undefined) return undefined;
      if (value !== "" && FLAGS[flag] !== undefined) values[FLAGS[flag]] = value;
    } else {
      return undefined;
    }
  }
  return values;
}

/**
 * A line's words as a POSIX shell splits them: at spaces and tabs, and at no other white space of Unicode's.
 * Nothing when it wants more of the shell than quotes (variables, pipes, patterns, a second line), or a quote
 * is open.
 */
export function wordsOf(line) {
  const words = [];
  let word;
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at];
    if (character === " " || character === "\t") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'") {
      const end = line.indexOf("'", at + 1);
      if (end === -1) return undefined;
      word = (word ?? "") + line.slice(at + 1, end);
      at = end;
    } else if (character === '"') {
      const quoted = /^"((?:[^"\\$`]|\\[\s\S])*)"/.exec(line.slice(at));
      if (quoted === null) return undefined;
      word = (word ?? "") + quoted[1].replace(/\\([$`"\\])/g, "$1");
      at += quoted[0].length - 1;
    } else if (character === "\\" && process.platform !== "win32") {
      if (at + 1 === line.length) return undefined;
      word = (word ?? "") + line[(at += 1)];
    } else if (character === "~" && word === undefined) {
      if (!/^~(?=[/ \t]|$)/.test(line.slice(at))) return undefined; // another user's
      word = homedir();
    } else if (/[\n$`|&;<>()*?[\]#!{}]/.test(character)) {
      return undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

async function isTpmKey(path) {
  let file;
  try {
    file = await openFile(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(65_536), 0, 65_536, 0);
    const found = buffer.subarray(0, bytesRead).includes("-----BEGIN TSS2 PRIVATE KEY-----");
    buffer.fill(0);
    return found;
  } catch {
    return false; // reading it will say what is wrong
  } finally {
    await file?.close();
  }
}

async function bundleOf(path) {
  try {
    return await contentOf(path);
  } catch (error) {
    throw new RolesAnywhereError("invalid_input", `the CA bundle \`${path}\` cannot be read: ${error.message}`, { cause: error });
  }
}

// ---- what all AWS SDKs share

/** The endpoint that the environment names for this service, or the kind of endpoint that is wanted. */
function fromSettings(section, { endpoint, fips, dualStack }) {
  if (endpoint !== undefined) return {};
  const { env } = process;
  const ignored = env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS?.toLowerCase() === "true";
  const named = ignored ? undefined : env.AWS_ENDPOINT_URL_ROLESANYWHERE || env.AWS_ENDPOINT_URL || undefined;
  if (named !== undefined) return { endpoint: named };
  const wants = (variable, key) => (env[variable] ?? section[key])?.toLowerCase() === "true";
  return {
    ...(fips === undefined && wants("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint") ? { fips: true } : {}),
    ...(dualStack === undefined && wants("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint") ? { dualStack: true } : {}),
  };
}
