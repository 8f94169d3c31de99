// The sizes of the modules as they travel, and the budgets that they must keep.

import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const BUDGETS = { rolesanywhere: 150_000, webcrypto: 50_000 }; // bytes of gzip -9
const folder = new URL("../dist/", import.meta.url);
let over = false;

for (const [name, budget] of Object.entries(BUDGETS)) {
  const wasm = readFileSync(new URL(`${name}_bg.wasm`, folder));
  const gzip = gzipSync(wasm, { level: 9 }).length;
  const brotli = brotliCompressSync(wasm, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: wasm.length } }).length;
  const kept = gzip <= budget;
  over ||= !kept;
  console.log(`${name}: ${wasm.length} bytes, gzip ${gzip} (${kept ? "within" : "OVER"} ${budget}), brotli ${brotli}`);
}
if (over) process.exit(1);
