// The sizes of the modules as they travel. The goals are those that were set, 150 kB and 50 kB of gzip; the
// limits hold what has been reached: a build that is larger fails. `containers` is loaded when a file
// needs it, and has no goal. The others are above theirs; README.md says what is in the way.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";

// Bytes of `gzip -9`. Node's own zlib is Chromium's, which packs a hundredth worse or more, for speed.
const MODULES = {
  rolesanywhere: { goal: 150_000, limit: 172_500 },
  webcrypto: { goal: 50_000, limit: 95_000 },
  containers: { limit: 50_000 },
};
const folder = new URL("../dist/", import.meta.url);
let over = false;

for (const [name, { goal, limit }] of Object.entries(MODULES)) {
  const wasm = readFileSync(new URL(`${name}_bg.wasm`, folder));
  const gzip = execFileSync("gzip", ["-9nc"], { input: wasm }).length;
  const brotli = brotliCompressSync(wasm, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: wasm.length } }).length;
  over ||= gzip > limit;
  const bounds = [goal === undefined ? "no goal" : `goal ${goal}`, `limit ${limit}${gzip > limit ? ": OVER" : ""}`];
  console.log(`${name}: ${wasm.length} bytes, gzip ${gzip} (${bounds.join(", ")}), brotli ${brotli}`);
}
if (over) process.exit(1);
