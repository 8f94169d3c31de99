// What must compile under `--strict`, as a module and as CommonJS.

import { S3Client } from "@aws-sdk/client-s3";
import { STSClient } from "@aws-sdk/client-sts";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { createPrivateKey, type webcrypto } from "node:crypto";
import { pathToFileURL } from "node:url";
import {
  AwsClient,
  ERROR_CODES,
  RolesAnywhereError,
  backend,
  createSession,
  fromRolesAnywhere,
  fromRolesAnywhereProfile,
  isRolesAnywhereError,
  signRequest,
  type Backend,
  type Credentials,
  type Identity,
  type RolesAnywhereErrorCode,
  type RolesAnywhereInit,
  type RolesAnywhereProfileInit,
} from "rolesanywhere";

declare const webKey: webcrypto.CryptoKey;
const arns = { trustAnchorArn: "a", profileArn: "p", roleArn: "r" };
const inits: RolesAnywhereInit[] = [
  { ...arns, certificate: "client.pem", privateKey: "client.key" },
  { ...arns, certificate: pathToFileURL("/client.p12"), password: async () => "secret" },
  { ...arns, certificate: Buffer.from(""), privateKey: createPrivateKey("pem"), certificateChain: "chain.pem" },
  { ...arns, certificate: "client.pem", privateKey: webKey },
  { ...arns, certificate: "client.pem", privateKey: "client.key", password: () => new Uint8Array() },
  { ...arns, certificate: "client.pem", signer: async (message, { algorithm }) => (algorithm === "" ? message : new ArrayBuffer(1)) },
  { ...arns, certificate: "client.pem", signer: { sign: (message) => message, input: "digest", ecdsa: "p1363" } },
  { ...arns, identity: async (): Promise<Identity> => ({ certificate: "client.pem", privateKey: createPrivateKey("pem") }) },
  { ...arns, certificate: "client.pem", privateKey: "client.key", requestHandler: new NodeHttpHandler(), durationSeconds: 900, logger: console },
];
const profile: RolesAnywhereProfileInit = { profile: "x", configFilepath: "y", filepath: "z", requestHandler: new NodeHttpHandler(), password: "p" };
new STSClient({ region: "eu-west-1", credentials: fromRolesAnywhere(inits[0]!) });
new S3Client({ credentials: fromRolesAnywhereProfile(profile) });
fromRolesAnywhereProfile();

export async function use(): Promise<RolesAnywhereErrorCode | undefined> {
  const credentials: Credentials = await fromRolesAnywhere(inits[1]!)({ forceRefresh: true });
  const until: Date = credentials.expiration;
  const { assumedRoleArn } = await createSession(inits[2]!);
  const which: Backend = await backend();
  const why: string = which.kind === "wasm" ? which.reason : which.kind;
  const signed = await signRequest("https://sts.amazonaws.com/", { credentials, presign: true });
  const client = new AwsClient({ credentials: fromRolesAnywhereProfile(), region: "eu-west-1" });
  void [until, assumedRoleArn, why, signed, client];
  try {
    await fromRolesAnywhere(inits[3]!)();
  } catch (error) {
    if (isRolesAnywhereError(error, "throttled")) return error.retryAfter === undefined ? undefined : error.code;
    if (isRolesAnywhereError(error)) return ERROR_CODES.includes(error.code) ? error.code : undefined;
    throw new RolesAnywhereError("invalid_input", "message", { cause: error });
  }
  return undefined;
}
