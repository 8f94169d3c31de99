// Cloudflare Workers: the modules are imported, since workers compile none at run time.

import * as containers from "../../dist/containers.js";
import containersWasm from "../../dist/containers_bg.wasm";
import * as module from "../../dist/rolesanywhere.js";
import wasm from "../../dist/rolesanywhere_bg.wasm";
import { withContainers } from "../containers.js";
import { bind } from "../index.js";

const core = withContainers(module, () => {
  containers.initSync({ module: containersWasm });
  return containers;
});
module.initSync({ module: wasm });

export const { fromRolesAnywhere, createSession, signRequest, AwsClient } = bind(() => core);
export * from "../shared.js";
