// The AWS SDK's real STS client on the provider, over TLS, in Node: `node tests/sdk.js`.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { equal, ok, thrown } from "./assert.js";
import { lab } from "./lab.js";

if (process.env.SDK_TEST === undefined) {
  const place = await lab();
  const { endpoint, caFile, ask, close } = await place.tls();
  const { account, region, arns, identities } = place.fixture;
  const given = { endpoint, fixture: { account, region, arns, identity: identities["RSA-2048"] } };
  const status = await new Promise((done) => {
    // A process of its own: Node reads the CA when it starts.
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
      env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: caFile, SDK_TEST: JSON.stringify(given) },
      stdio: "inherit",
    });
    child.on("close", done);
  });
  const records = await ask("records");
  const calls = records.filter(({ operation }) => operation === "CreateSession");
  close();
  await place.close();
  equal([status, calls.length], [0, 1], "one session serves both clients and all their calls");
  ok(records.filter(({ operation }) => operation === "GetCallerIdentity").length >= 11);
  console.log("the AWS SDK's STS client: passed");
} else {
  const { endpoint, fixture } = JSON.parse(process.env.SDK_TEST);
  const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
  const { fromRolesAnywhere } = await import("../js/entry/node.js");
  const { certificate, privateKey } = fixture.identity;
  const credentials = fromRolesAnywhere({ ...fixture.arns, endpoint, certificate, privateKey });
  const client = new STSClient({ region: fixture.region, endpoint, credentials });
  const whoami = () => client.send(new GetCallerIdentityCommand({}));
  const answers = await Promise.all(Array.from({ length: 10 }, whoami));
  ok(answers.every(({ Account, Arn }) => Account === fixture.account && Arn.includes(":assumed-role/app/")));
  const { expiration } = await client.config.credentials();
  ok(expiration instanceof Date && expiration.getTime() > Date.now());
  const second = new STSClient({ region: "us-east-2", endpoint, credentials });
  const other = await thrown(() => second.send(new GetCallerIdentityCommand({}))); // the emulator serves one region
  ok(other.$metadata !== undefined, String(other));
  equal((await new STSClient({ region: fixture.region, endpoint, credentials }).send(new GetCallerIdentityCommand({}))).Account, fixture.account);
  const china = new STSClient({ region: "cn-north-1", endpoint, credentials });
  equal((await thrown(() => china.send(new GetCallerIdentityCommand({})))).code, "invalid_input");
}
