// What must not compile: each line under `@ts-expect-error` is an error, or the compiler complains.

import { backend, fromRolesAnywhere, fromRolesAnywhereProfile, type RolesAnywhereInit } from "rolesanywhere";
// @ts-expect-error: how the core is handed in is not for users
import { bind } from "rolesanywhere";
// @ts-expect-error: nothing else is exported
import * as core from "rolesanywhere/js/core.js";

const arns = { trustAnchorArn: "a", profileArn: "p", roleArn: "r" };
const whole = { ...arns, certificate: "client.pem", privateKey: "client.key" };

// @ts-expect-error: no ARNs
fromRolesAnywhere({ certificate: "client.pem", privateKey: "client.key" });
// @ts-expect-error: no certificate
fromRolesAnywhere({ ...arns, privateKey: "client.key" });
// @ts-expect-error: both a key and a signer
fromRolesAnywhere({ ...whole, signer: async (message: Uint8Array) => message });
// @ts-expect-error: both a certificate and a function that returns one
fromRolesAnywhere({ ...whole, identity: async () => whole });
// @ts-expect-error: a number is no key
fromRolesAnywhere({ ...whole, privateKey: 7 });
// @ts-expect-error: a password's function returns a password
fromRolesAnywhere({ ...whole, password: () => 7 });
// @ts-expect-error: agents belong into a handler
fromRolesAnywhere({ ...whole, requestHandler: { httpsAgent: {} } });
// @ts-expect-error: seconds are a number
fromRolesAnywhere({ ...whole, durationSeconds: "900" });
// @ts-expect-error: a misspelt option
const misspelt: RolesAnywhereInit = { ...whole, durationSecond: 900 };
// @ts-expect-error: a profile has a name
fromRolesAnywhereProfile({ profile: 7 });
// @ts-expect-error: the certificate is the profile's
fromRolesAnywhereProfile({ certificate: "client.pem" });
async function reason(): Promise<string> {
  // @ts-expect-error: the addon needs none
  return (await backend()).reason;
}
void [bind, core, misspelt, reason];
