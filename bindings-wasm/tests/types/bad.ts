// What must not compile: each line under `@ts-expect-error` is an error, or the compiler complains.

import { AwsClient, RolesAnywhereError, fromRolesAnywhere, isRolesAnywhereError, signRequest, workersKv, type RolesAnywhereInit } from "rolesanywhere-wasm";
// @ts-expect-error: the slim entry alone is handed its module
import { initialize } from "rolesanywhere-wasm";

import { initialize as small } from "rolesanywhere-wasm/slim/webcrypto";

declare const key: CryptoKey;
const arns = { trustAnchorArn: "a", profileArn: "p", roleArn: "r" };
const whole = { ...arns, certificate: "pem", privateKey: key };

// @ts-expect-error: no ARNs
fromRolesAnywhere({ certificate: "pem", privateKey: key });
// @ts-expect-error: no certificate
fromRolesAnywhere({ ...arns, privateKey: key });
// @ts-expect-error: both a key and a signer
fromRolesAnywhere({ ...whole, signer: async (message: Uint8Array) => message });
// @ts-expect-error: both a certificate and a function that returns one
fromRolesAnywhere({ ...whole, identity: async () => whole });
// @ts-expect-error: a path is no key, a number neither
fromRolesAnywhere({ ...whole, privateKey: 7 });
// @ts-expect-error: seconds are a number
fromRolesAnywhere({ ...whole, durationSeconds: "900" });
// @ts-expect-error: there are two places
fromRolesAnywhere({ ...whole, arnPlacement: "header" });
// @ts-expect-error: a misspelt option
const misspelt: RolesAnywhereInit = { ...whole, durationSecond: 900 };
// @ts-expect-error: a cache has a key
fromRolesAnywhere({ ...whole, cache: { store: workersKv({} as never) } });
// @ts-expect-error: a signer returns bytes
fromRolesAnywhere({ ...arns, certificate: "pem", signer: async () => "text" });
// @ts-expect-error: there are two forms
fromRolesAnywhere({ ...arns, certificate: "pem", signer: { sign: (message) => message, ecdsa: "raw" } });
// @ts-expect-error: no credentials
signRequest("https://x", { region: "eu-west-1" });
// @ts-expect-error: no credentials
new AwsClient({ region: "eu-west-1" });
// @ts-expect-error: no such code
new RolesAnywhereError("oops", "message");
// @ts-expect-error: no such code
isRolesAnywhereError(undefined, "oops");
// @ts-expect-error: an error's code cannot be set
new RolesAnywhereError("throttled", "message").code = "unsupported";
// @ts-expect-error: the smaller build opens no containers
small(new Uint8Array(), { containers: new Uint8Array() });
async function sure(): Promise<string> {
  const { accountId } = await fromRolesAnywhere(whole)();
  // @ts-expect-error: the account is not always told
  return accountId;
}
void [initialize, misspelt, sure];
