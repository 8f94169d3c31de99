// The package for Node: the provider of `rolesanywhere-wasm` on a native core, and what only Node has:
// files, `KeyObject`s, the AWS SDK's request handlers, profiles.

import { bind, readIdentity } from "rolesanywhere-wasm/bind";

import { announce, load } from "./core.js";
import { fetchThrough } from "./handler.js";
import { PARTS, identitySource } from "./identity.js";
import { optionsOfProfile } from "./profile.js";

const shared = bind(load);
export const { signRequest, AwsClient } = shared;

export function fromRolesAnywhere(init) {
  const caller = {};
  return called(shared.fromRolesAnywhere(forNode(init, caller)), init, caller);
}

export async function createSession(init) {
  await announce(init?.logger);
  return shared.createSession(forNode(init, {}));
}

export function fromRolesAnywhereProfile(given) {
  const init = given ?? {};
  const caller = {};
  let provider;
  const made = async (properties) => {
    const profile = init.profile ?? properties?.callerClientConfig?.profile;
    return shared.fromRolesAnywhere(forNode(await optionsOfProfile({ ...init, profile }), caller));
  };
  const first = async (properties) => {
    // Read again when it failed: the file may have been mended.
    provider ??= made(properties).catch((error) => {
      provider = undefined;
      throw error;
    });
    return (await provider)(properties);
  };
  return called(first, init, caller);
}

/** A provider that remembers which of the SDK's clients called it last. */
function called(provider, init, caller) {
  const credentials = (properties) => {
    caller.client = properties?.callerClientConfig ?? caller.client;
    announce(init?.logger).catch(() => {}); // the call itself tells what is wrong
    return provider(properties);
  };
  credentials.memoized = true; // as the provider that it wraps
  return credentials;
}

/** The shared provider's options, of Node's. What is wrong with them is left for it to refuse. */
function forNode(init, caller) {
  if (init === null || typeof init !== "object") return init;
  const { requestHandler, ...rest } = init;
  const options = { ...rest, fetch: fetchThrough(init, caller) };
  const given = PARTS.filter((name) => init[name] !== undefined);
  const { identity } = init;
  if (identity !== undefined) {
    if (given.length > 0 || typeof identity !== "function") return options;
    const read = async () => identitySource(await identity())();
    return { ...options, identity: async () => read() };
  }
  if (init.certificate === undefined) return options;
  for (const name of PARTS) delete options[name];
  return { ...options, identity: identitySource(init) };
}

export { backend } from "./core.js";
export {
  cacheApi,
  durableObject,
  SessionCacheObject,
  workersKv,
  ERROR_CODES,
  RolesAnywhereError,
  isRolesAnywhereError,
} from "rolesanywhere-wasm/bind";
