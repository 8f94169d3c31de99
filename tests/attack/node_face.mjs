// Asks each endpoint of a list for a session through an npm package, whose entry is the argument, and prints what came of
// it, a line of JSON each. Its standard input is that of python_face.py; the CA is in NODE_EXTRA_CA_CERTS.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

const { createSession, isRolesAnywhereError } = await import(pathToFileURL(process.argv[2]).href);
const given = JSON.parse(readFileSync(0, "utf8"));
const certificate = readFileSync(given.certificate, "utf8");
const privateKey = readFileSync(given.private_key, "utf8");
const { trust_anchor_arn: trustAnchorArn, profile_arn: profileArn, role_arn: roleArn } = given.arns;

async function ask([label, endpoint]) {
  const begun = performance.now();
  let outcome;
  try {
    const made = await createSession({
      trustAnchorArn, profileArn, roleArn, certificate, privateKey, endpoint, timeoutMilliseconds: 2000, maxAttempts: 1,
    });
    const { accessKeyId, secretAccessKey, sessionToken } = made.credentials ?? made;
    outcome = { whole: [accessKeyId, secretAccessKey, sessionToken].every((text) => typeof text === "string" && text !== "") };
  } catch (error) {
    outcome = { refused: isRolesAnywhereError(error), kind: error?.name, message: String(error?.message), shown: inspect(error, { depth: 9 }) };
  }
  return { label, seconds: (performance.now() - begun) / 1000, ...outcome };
}

const waiting = Object.entries(given.endpoints);
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      process.stdout.write(`${JSON.stringify(await ask(next))}\n`);
    }
  }),
);
