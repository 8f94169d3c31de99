// The worker example in Miniflare, as `wrangler dev` runs it, against the emulator and a bucket on
// loopback; the stores on Miniflare's KV, Cache API and Durable Objects. `node tests/worker.js`

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Miniflare } from "miniflare";

import { equal, ok } from "./assert.js";
import { PACKAGE, lab } from "./lab.js";

const place = await lab();
const folder = mkdtempSync(join(tmpdir(), "rolesanywhere-worker-"));

// A bucket that keeps what it is sent, and the headers that came.
const objects = new Map();
const bucket = http.createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  if (request.method === "PUT") objects.set(request.url, { body: Buffer.concat(parts), headers: request.headers });
  const found = objects.get(request.url.split("?")[0]);
  response.writeHead(found === undefined ? 404 : 200).end(request.method === "GET" ? found?.body : undefined);
});
await new Promise((done) => bucket.listen(0, "127.0.0.1", done));
const bucketUrl = `http://127.0.0.1:${bucket.address().port}`;

function bundle(entry, name) {
  const out = join(folder, name);
  execFileSync(join(PACKAGE, "node_modules/esbuild/bin/esbuild"), [
    join(PACKAGE, entry), "--bundle", "--format=esm", "--conditions=workerd,worker,browser", "--platform=neutral", "--external:cloudflare:*",
    "--loader:.wasm=copy", "--log-level=warning", `--outdir=${out}`, "--entry-names=worker",
  ]);
  const modules = readdirSync(out).map((file) => ({ type: file.endsWith(".wasm") ? "CompiledWasm" : "ESModule", path: file, contents: readFileSync(join(out, file)) }));
  return modules.sort((one) => (one.path === "worker.js" ? -1 : 1));
}

const { certificate, privateKey } = place.fixture.identities["P-256"];
const control = async () => (await fetch(`${place.origin}/control`)).json();
const bindings = {
  REGION: place.fixture.region, TRUST_ANCHOR_ARN: place.arns.trustAnchorArn, PROFILE_ARN: place.arns.profileArn, ROLE_ARN: place.arns.roleArn,
  ENDPOINT: place.origin, STS_URL: place.origin, BUCKET_URL: bucketUrl, CERTIFICATE: certificate, PRIVATE_KEY: privateKey,
  SESSION_KEY: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64"),
};
const durableObjects = { SESSIONS: { className: "Sessions", useSQLite: true } };
const options = { cf: false, telemetry: { enabled: false }, compatibilityDate: "2026-03-01" };
const started = [];
try {
  const example = new Miniflare({ ...options, modules: bundle("examples/worker/src/index.js", "example"), bindings, durableObjects });
  started.push(example);
  const before = (await control()).sessions;
  const who = await example.dispatchFetch("http://worker.test/who");
  const text = await who.text();
  ok(who.status === 200 && text.includes(":assumed-role/app/"), text);

  const put = await example.dispatchFetch("http://worker.test/objects/a%20b/c.txt", { method: "PUT", body: "hello", headers: { "content-length": "5" } });
  equal(put.status, 200, await put.text());
  const stored = objects.get("/a%20b/c.txt");
  equal([stored.body.toString(), stored.headers["x-amz-content-sha256"]], ["hello", "UNSIGNED-PAYLOAD"]);
  ok(stored.headers.authorization.includes(`/${place.fixture.region}/s3/aws4_request`) && stored.headers["x-amz-security-token"] !== undefined);
  const got = await example.dispatchFetch("http://worker.test/objects/a%20b/c.txt");
  equal(await got.text(), "hello");
  const link = await (await example.dispatchFetch("http://worker.test/links/a%20b/c.txt")).text();
  equal(new URL(link).searchParams.get("X-Amz-Expires"), "60");
  equal(await (await fetch(link)).text(), "hello");
  equal((await control()).sessions - before, 1);

  // Isolates of one worker, each with a module and a provider of its own, on each store.
  const isolates = new Miniflare({ ...options, modules: bundle("tests/runtimes/stores.js", "stores"), bindings, durableObjects, kvNamespaces: ["KV"] });
  started.push(isolates);
  for (const [store, sessions] of [["durable", 1], ["kv", 1], ["cache", 1]]) {
    const earlier = (await control()).sessions;
    const answer = await isolates.dispatchFetch(`http://worker.test/${store}`);
    const report = await answer.text();
    equal([answer.status, (await control()).sessions - earlier], [200, sessions], `${store}: ${report}`);
  }
  // Many at once: the Durable Object's lock lets one create the session.
  const earlier = (await control()).sessions;
  const answer = await isolates.dispatchFetch("http://worker.test/durable?together=20&name=other");
  equal([answer.status, (await control()).sessions - earlier], [200, 1], await answer.text());
  console.log("the worker example and the stores in Miniflare: passed");
} finally {
  for (const miniflare of started) await miniflare.dispose();
  bucket.close();
  await place.close();
  rmSync(folder, { recursive: true, force: true });
}
