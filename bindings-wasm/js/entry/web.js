// Browsers and bundlers: the module is fetched from beside this file, when it is first needed.

import * as core from "../../dist/rolesanywhere.js";
import { bind } from "../index.js";

let loading;

async function load() {
  await core.default({ module_or_path: fetch(new URL("../../dist/rolesanywhere_bg.wasm", import.meta.url)) });
  return core;
}

export const { fromRolesAnywhere, createSession, signRequest, AwsClient } = bind(() =>
  (loading ??= load().catch((error) => {
    loading = undefined; // a network that was away may come back
    throw error;
  })),
);
export * from "../shared.js";
