// Runs the guest as any wasm host does, with nothing given to it: `node walk.mjs GUEST.wasm`.
//
// Each line of the input is JSON, `[function, input in base64, number]`; each line of the output is what
// the function answered, as JSON. The first line of the output lists what the module imports.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const module = new WebAssembly.Module(readFileSync(process.argv[2]));
console.log(JSON.stringify(WebAssembly.Module.imports(module).map(({ module: from, name }) => `${from}.${name}`)));
const { exports } = new WebAssembly.Instance(module, {});

for await (const line of createInterface({ input: process.stdin })) {
  const [name, encoded, number] = JSON.parse(line);
  const input = Buffer.from(encoded, "base64");
  const address = exports.allocate(input.length);
  new Uint8Array(exports.memory.buffer, address, input.length).set(input);
  // `sign` takes the time as an i64, `read` the status as an i32.
  const packed = BigInt.asUintN(64, exports[name](address, input.length, name === "sign" ? BigInt(number) : number));
  const answer = Buffer.from(exports.memory.buffer, Number(packed >> 32n), Number(packed & 0xffffffffn));
  console.log(JSON.stringify(answer.toString()));
}
