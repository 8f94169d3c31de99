// What must compile under `--strict`.

import { STSClient } from "@aws-sdk/client-sts";
import type { AwsCredentialIdentityProvider } from "@aws-sdk/types";
import {
  AwsClient,
  ERROR_CODES,
  RolesAnywhereError,
  SessionCacheObject,
  cacheApi,
  createSession,
  durableObject,
  fromRolesAnywhere,
  isRolesAnywhereError,
  signRequest,
  workersKv,
  type CacheStore,
  type Credentials,
  type Identity,
  type RolesAnywhereErrorCode,
  type RolesAnywhereInit,
} from "rolesanywhere-wasm";
import { fromRolesAnywhere as small } from "rolesanywhere-wasm/webcrypto";
import { fromRolesAnywhere as supplied, initialize } from "rolesanywhere-wasm/slim";

declare const key: CryptoKey;
declare const bytes: Uint8Array;
declare const kv: { get(key: string, options: { type: "arrayBuffer" }): Promise<ArrayBuffer | null>; put(key: string, value: unknown, options?: { expirationTtl?: number }): Promise<void> };

const arns = { trustAnchorArn: "a", profileArn: "p", roleArn: "r" };
const provider: AwsCredentialIdentityProvider = fromRolesAnywhere({ ...arns, certificate: "pem", privateKey: key });
new STSClient({ region: "eu-west-1", credentials: fromRolesAnywhere({ ...arns, certificate: bytes, privateKey: "pem", password: "secret" }) });
new STSClient({ credentials: small({ ...arns, certificate: bytes, privateKey: key }) });

const signer: RolesAnywhereInit = { ...arns, certificate: "pem", signer: async (message, { algorithm }) => (algorithm === "" ? message : new ArrayBuffer(1)) };
const digest: RolesAnywhereInit = { ...arns, certificate: "pem", signer: { sign: (message) => message, input: "digest", ecdsa: "p1363" } };
const rotating: RolesAnywhereInit = { ...arns, identity: async (): Promise<Identity> => ({ certificate: "pem", privateKey: "pem" }) };

const store: CacheStore = { load: async () => null, store: async () => {}, lock: async () => async () => {} };
const shared: RolesAnywhereInit = {
  ...arns, certificate: "pem", privateKey: key, region: "eu-west-1", endpoint: "https://x", fips: true, dualStack: false,
  durationSeconds: 900, roleSessionName: "x", instanceProperties: { host: "a" }, arnPlacement: "body",
  fetch: (url, init) => fetch(url, init), timeoutMilliseconds: 1, maxAttempts: 1, logger: console, waitUntil: () => {},
  cache: { store, encryptionKey: bytes, propagationSeconds: 1, coldSpreadMilliseconds: 0 },
};
const stores: CacheStore[] = [workersKv(kv, { prefix: "x" }), cacheApi(() => caches.open("x"), { origin: "https://x" }), durableObject({ idFromName: (name) => name, get: () => ({ fetch }) })];
export class Sessions extends SessionCacheObject {}

async function use(): Promise<RolesAnywhereErrorCode | undefined> {
  initialize(new Uint8Array());
  initialize(new WebAssembly.Module(new Uint8Array()), { containers: new Uint8Array() });
  initialize(new Uint8Array(), { containers: async () => new ArrayBuffer(8) });
  const credentials: Credentials = await fromRolesAnywhere(signer)({ callerClientConfig: { region: async () => "eu-west-1" }, forceRefresh: true });
  const until: Date = credentials.expiration;
  const { assumedRoleArn } = await createSession(rotating);
  const signed = await signRequest("https://sts.amazonaws.com/", { credentials: provider, presign: { expiresInSeconds: 60 }, payloadSha256: "UNSIGNED-PAYLOAD" });
  const response: Response = await fetch(signed.url, signed);
  const client = new AwsClient({ credentials: supplied(digest), region: "eu-west-1", service: "s3" });
  const put: Response = await client.fetch(new URL("https://x"), { method: "PUT", body: new ReadableStream(), aws: { payloadSha256: bytes } });
  const request: Request = await client.sign(new Request("https://x"), { aws: { presign: true, region: "eu-west-1" } });
  void [shared, stores, until, assumedRoleArn, response, put, request];
  try {
    await provider();
  } catch (error) {
    if (isRolesAnywhereError(error, "throttled")) {
      const code: "throttled" = error.code;
      const pause: number | undefined = error.retryAfter;
      return pause === undefined ? undefined : code;
    }
    if (isRolesAnywhereError(error)) {
      const known: readonly RolesAnywhereErrorCode[] = ERROR_CODES;
      return known.includes(error.code) && error.retryable ? error.code : undefined;
    }
    throw new RolesAnywhereError("invalid_input", "message", { cause: error });
  }
  return undefined;
}
void use;

/** Every code, so that a code that is added breaks here. */
export function advice(code: RolesAnywhereErrorCode): string {
  switch (code) {
    case "access_denied": case "invalid_certificate": case "invalid_input": case "invalid_key": case "invalid_response":
    case "key_mismatch": case "password_required": case "request_rejected": case "signing_failed": case "unsupported": case "wrong_password":
      return "correct it";
    case "service_unavailable": case "throttled": case "transport_failed":
      return "try again";
    default: {
      const none: never = code;
      return none;
    }
  }
}
