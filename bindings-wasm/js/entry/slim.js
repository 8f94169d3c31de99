// Any runtime: the caller supplies the modules, as `WebAssembly.Module` or their bytes.

import * as containers from "../../dist/containers.js";
import * as module from "../../dist/rolesanywhere.js";
import { noContainers, withContainers } from "../containers.js";
import { RolesAnywhereError } from "../errors.js";
import { bind } from "../index.js";

let ready = false;
let given = noContainers;

const core = withContainers(module, async () => {
  containers.initSync({ module: typeof given === "function" ? await given() : given });
  return containers;
});

export function initialize(wasm, options = {}) {
  if (!ready) module.initSync({ module: wasm });
  ready = true;
  if (given === noContainers && options.containers !== undefined) given = options.containers;
}

export const { fromRolesAnywhere, createSession, signRequest, AwsClient } = bind(() => {
  if (!ready) {
    throw new RolesAnywhereError("invalid_input", "the module is not there yet: call `initialize` with it first");
  }
  return core;
});
export * from "../shared.js";
