// Everything that the package offers, made of a core that is handed in: the WebAssembly module here,
// a native one elsewhere. Nothing here knows how the core is loaded.

import { cacheApi, durableObject, SessionCacheObject, workersKv } from "./cache.js";
import { ERROR_CODES, RolesAnywhereError, calling, identityFailures, isRolesAnywhereError } from "./errors.js";
import { readIdentity } from "./keys.js";
import { Provider } from "./provider.js";
import { awsClient, requestSigner } from "./sign.js";

/** What a single call says is wanted from the service. */
const withoutCache = (init) => (init?.cache === undefined ? init : { ...init, cache: undefined });

/** `load` returns the core, or a promise of it; it is called when the core is first needed, and again. */
export function bind(load) {
  function fromRolesAnywhere(init) {
    const provider = new Provider(load, init);
    const credentials = (properties) => provider.credentials(properties);
    // The SDK would keep what it gets and ask again five minutes before the end; asked at each use,
    // this provider renews earlier and in the background.
    credentials.memoized = true;
    return credentials;
  }
  const createSession = async (init) => new Provider(load, withoutCache(init)).createSession();
  const signRequest = requestSigner(load);
  return { fromRolesAnywhere, createSession, signRequest, AwsClient: awsClient(signRequest) };
}

export { cacheApi, durableObject, SessionCacheObject, workersKv, ERROR_CODES, RolesAnywhereError, isRolesAnywhereError };
// For a host that reads files itself: `identity` may return what `readIdentity` makes, and `identityFailures` takes
// what the core is told with the error that `identity` throws.
export { calling, readIdentity, identityFailures };
