// What several files of cases want.

import { equal } from "../assert.js";

export const KINDS = ["RSA-2048", "P-256", "P-384", "P-521", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"];

/** What the emulator's STS says that some credentials are. */
export async function caller({ api, fixture }, credentials, date) {
  const body = "Action=GetCallerIdentity&Version=2011-06-15";
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const signed = await api.signRequest(`${fixture.origin}/`, { method: "POST", body, headers, region: fixture.region, service: "sts", credentials, date });
  const response = await fetch(signed.url, signed);
  const text = await response.text();
  equal(response.status, 200, text);
  return /<Arn>([^<]+)<\/Arn>/.exec(text)?.[1];
}

export async function supports(kind) {
  try {
    await crypto.subtle.generateKey(...generation(kind), false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

export function generation(kind) {
  if (kind.startsWith("RSA")) return [{ name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" }];
  return [kind.startsWith("P-") ? { name: "ECDSA", namedCurve: kind } : { name: kind }];
}

export const base64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
export const unix = (iso) => Date.parse(iso.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z")) / 1000;
