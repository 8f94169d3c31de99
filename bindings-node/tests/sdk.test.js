// The AWS SDK's real clients, over TLS and through a proxy.

import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http, { createServer } from "node:http";
import https from "node:https";
import { connect } from "node:net";
import { createRequire } from "node:module";
import test, { after } from "node:test";
import { connect as connectTls } from "node:tls";

import { createSession, fromRolesAnywhere, fromRolesAnywhereProfile, isRolesAnywhereError } from "../js/index.js";
import { laboratory } from "./context.js";
import { objectStore } from "./s3.js";

const place = await laboratory();
const { arns, fixture, init } = place;
const { region, account } = fixture;
const service = await place.tls();
after(() => service.close());
const ca = readFileSync(service.caFile);
const { endpoint } = service;
const records = async (operation) => (await service.ask("records")).filter((record) => record.operation === operation && record.refused === null).length;
const handler = (options = {}) => new NodeHttpHandler({ httpsAgent: new https.Agent({ ca, keepAlive: true, ...options }) });
const { certificate, privateKey } = fixture.identities["RSA-2048"];
const onTls = (more = {}) => ({ ...arns, endpoint, certificate, privateKey, ...more });
const whoami = (client) => client.send(new GetCallerIdentityCommand({}));

test("STS: ten calls and two clients on one session, sent by the client's own handler", async () => {
  const before = await records("CreateSession");
  const credentials = fromRolesAnywhere(onTls());
  // Node's fetch does not trust the emulator's CA: the credentials can only come through the client's handler.
  const client = new STSClient({ region, endpoint, credentials, requestHandler: handler() });
  const answers = await Promise.all(Array.from({ length: 10 }, () => whoami(client)));
  assert.ok(answers.every(({ Account, Arn }) => Account === account && Arn.includes(":assumed-role/app/")));
  const second = new STSClient({ region, endpoint, credentials, requestHandler: handler() });
  assert.equal((await whoami(second)).Account, account);
  assert.equal((await records("CreateSession")) - before, 1);
  const { expiration, accountId } = await client.config.credentials();
  assert.ok(expiration instanceof Date && expiration.getTime() > Date.now());
  assert.equal(accountId, account);
  // Nobody asks with a handler of his own any more: the last one's is used.
  assert.ok((await credentials({ forceRefresh: true })).accessKeyId);
  const china = new STSClient({ region: "cn-north-1", endpoint, credentials, requestHandler: handler() });
  await assert.rejects(whoami(china), (error) => isRolesAnywhereError(error, "invalid_input"));
});

test("without a CA that is trusted there is no session", async () => {
  for (const more of [{}, { requestHandler: new NodeHttpHandler() }]) {
    await assert.rejects(createSession(onTls({ maxAttempts: 1, ...more })), (error) => {
      assert.ok(isRolesAnywhereError(error, "transport_failed"), error.stack);
      assert.match(error.message, /certificate/);
      return true;
    });
  }
});

test("a request handler of the options', in both module systems", async () => {
  assert.equal((await createSession(onTls({ requestHandler: handler() }))).credentials.accountId, account);
  const { createSession: create } = createRequire(import.meta.url)("../dist/index.cjs");
  assert.equal((await create(onTls({ requestHandler: handler() }))).credentials.accountId, account);
});

test("through a proxy", async () => {
  const connected = [];
  const proxy = createServer();
  proxy.on("connect", (request, socket, head) => {
    connected.push(request.url);
    const [host, port] = request.url.split(":");
    const onward = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
  });
  await new Promise((done) => proxy.listen(0, "127.0.0.1", done));
  after(() => proxy.close());
  class ProxyAgent extends https.Agent {
    createConnection({ host, port }, callback) {
      const request = http.request({ host: "127.0.0.1", port: proxy.address().port, method: "CONNECT", path: `${host}:${port}`, agent: false });
      request.on("connect", (_, socket) => callback(null, connectTls({ socket, host, ca })));
      request.on("error", callback);
      request.end();
    }
  }
  const requestHandler = new NodeHttpHandler({ httpsAgent: new ProxyAgent() });
  assert.equal((await createSession(onTls({ requestHandler }))).credentials.accountId, account);
  assert.deepEqual(connected, [new URL(endpoint).host]);
});

test("a handler that hangs, breaks or answers with something else", async () => {
  const failing = async (handle, more = {}) => {
    const error = await createSession(init({ maxAttempts: 1, requestHandler: { handle }, ...more })).catch((error) => error);
    assert.ok(isRolesAnywhereError(error), String(error?.stack));
    return error.code;
  };
  assert.equal(await failing(() => new Promise(() => {}), { timeoutMilliseconds: 50 }), "transport_failed");
  assert.equal(await failing(async () => { throw new Error("unplugged"); }), "transport_failed");
  const answer = (statusCode, body) => async () => ({ response: { statusCode, headers: { a: ["1", "2"] }, body } });
  assert.equal(await failing(answer(201, undefined)), "invalid_response");
  assert.equal(await failing(answer(201, "text")), "invalid_response");
  assert.equal(await failing(answer(201, new Blob(["{}"]))), "invalid_response");
  assert.equal(await failing(answer(503, Buffer.from("{}"))), "service_unavailable");
  assert.equal(await failing(answer(302, new Response("x").body)), "invalid_response");
  let aborted;
  await failing((_, { abortSignal }) => new Promise(() => abortSignal.addEventListener("abort", () => (aborted = true))), { timeoutMilliseconds: 50 });
  assert.ok(aborted);
});

test("S3: objects are written and read under credentials that renew", async () => {
  const issued = new Map();
  const provider = fromRolesAnywhere(init({ durationSeconds: 900, clock: place.clock }));
  const credentials = Object.assign(async (properties) => {
    const current = await provider(properties);
    issued.set(current.accessKeyId, current);
    return current;
  }, { memoized: true });
  const store = await objectStore((id) => issued.get(id));
  after(() => store.close());
  const s3 = new S3Client({ region, endpoint: store.endpoint, forcePathStyle: true, credentials });
  const Bucket = "things";
  for (const [Key, content] of [["a/b c", "one"], ["ü=+&", "two"], ["empty", ""]]) {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: content }));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    assert.equal(await Body.transformToString(), content);
    await place.advance(900);
  }
  assert.equal(issued.size, 3);
  assert.ok(store.requests.length === 6 && store.requests.every(({ refusal }) => refusal === undefined));
  // The store does refuse: another secret under the same key.
  const [first] = issued.values();
  const forged = new S3Client({ region, endpoint: store.endpoint, forcePathStyle: true, credentials: { ...first, secretAccessKey: "x" } });
  await assert.rejects(forged.send(new GetObjectCommand({ Bucket, Key: "a" })), { name: "SignatureDoesNotMatch" });
  // And requests that this package signs.
  const { AwsClient } = await import("../js/index.js");
  const own = new AwsClient({ credentials, region, service: "s3" });
  assert.equal(await (await own.fetch(`${store.endpoint}/things/a/b%20c`)).text(), "one");
});

test("`credential_process` lines with a CA bundle of their own", async () => {
  const line = (more) =>
    `aws_signing_helper credential-process --certificate ${place.file("c.pem", certificate)} --private-key ${place.file("k.pem", privateKey)} ` +
    `--trust-anchor-arn ${arns.trustAnchorArn} --profile-arn ${arns.profileArn} --role-arn ${arns.roleArn} --endpoint ${endpoint} ${more}`;
  const provider = (more, given = {}) => {
    const configFilepath = place.file("config", `[default]\ncredential_process = ${line(more)}\n`);
    return fromRolesAnywhereProfile({ profile: "default", configFilepath, filepath: "none", maxAttempts: 1, ...given })();
  };
  assert.equal((await provider(`--ca-bundle ${service.caFile}`)).accountId, account);
  assert.equal((await provider("--no-verify-ssl")).accountId, account);
  assert.equal((await provider("", { requestHandler: handler() })).accountId, account);
  await assert.rejects(provider(""), (error) => isRolesAnywhereError(error, "transport_failed"));
  await assert.rejects(provider("--ca-bundle /nowhere"), /the CA bundle `\/nowhere` cannot be read/);
});
