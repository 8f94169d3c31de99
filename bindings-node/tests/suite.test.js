// The suite that every runtime of `rolesanywhere-wasm` runs, on this package: vectors, keys, renewal, the
// service's answers, shared sessions, signed requests.

import assert from "node:assert/strict";
import test from "node:test";

import * as slim from "../../bindings-wasm/js/entry/node-webcrypto.js";
import { run } from "../../bindings-wasm/tests/suite.js";
import { load } from "../js/core.js";
import * as api from "../js/index.js";
import { BACKEND, laboratory } from "./context.js";

const { fixture } = await laboratory();

test(`the shared suite on ${BACKEND}`, async (context) => {
  assert.equal((await api.backend()).kind, BACKEND);
  // The addon opens containers itself.
  const containers = BACKEND === "wasm" ? await import("../../bindings-wasm/dist/containers.js") : undefined;
  const { passed, failed, skipped } = await run({ api, slim, core: await load(), containers, fixture });
  assert.deepEqual(failed.map(({ name, stack }) => `${name}\n${stack}`), []);
  const [major, minor] = process.versions.node.split(".").map(Number);
  const hasMlDsa = major > 24 || (major === 24 && minor >= 7);
  const lacking = hasMlDsa ? [] : ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"].map((kind) => `non-extractable CryptoKey: ${kind}`);
  assert.deepEqual(skipped.map(({ name }) => name), lacking);
  assert.ok(passed.length > 40);
  context.diagnostic(`${passed.length} passed, ${skipped.length} skipped: Node's WebCrypto has no such keys`);
});
