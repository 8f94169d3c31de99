// Node, Deno and Bun: the module is read from the package's folder, when it is first needed.

import { readFileSync } from "node:fs";

import * as core from "../../dist/webcrypto.js";
import { bind } from "../index.js";

let loaded = false;

export const { fromRolesAnywhere, createSession, signRequest, AwsClient } = bind(() => {
  if (!loaded) {
    core.initSync({ module: readFileSync(new URL("../../dist/webcrypto_bg.wasm", import.meta.url)) });
    loaded = true;
  }
  return core;
});
export * from "../shared.js";
