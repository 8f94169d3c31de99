// Browsers and bundlers: the modules are fetched from beside this file, when they are first needed.

import * as containers from "../../dist/containers.js";
import * as module from "../../dist/rolesanywhere.js";
import { withContainers } from "../containers.js";
import { bind } from "../index.js";

const core = withContainers(module, async () => {
  await containers.default({ module_or_path: fetch(new URL("../../dist/containers_bg.wasm", import.meta.url)) });
  return containers;
});
let loading;

async function load() {
  await module.default({ module_or_path: fetch(new URL("../../dist/rolesanywhere_bg.wasm", import.meta.url)) });
  return core;
}

export const { fromRolesAnywhere, createSession, signRequest, AwsClient } = bind(() =>
  (loading ??= load().catch((error) => {
    loading = undefined; // a network that was away may come back
    throw error;
  })),
);
export * from "../shared.js";
