// Any runtime: the caller supplies the module, as `WebAssembly.Module` or its bytes.

import * as core from "../../dist/rolesanywhere.js";
import { RolesAnywhereError } from "../errors.js";
import { bind } from "../index.js";

let ready = false;

export function initialize(module) {
  if (ready) return;
  core.initSync({ module });
  ready = true;
}

export const { fromRolesAnywhere, createSession, signRequest, AwsClient } = bind(() => {
  if (!ready) {
    throw new RolesAnywhereError("invalid_input", "the module is not there yet: call `initialize` with it first");
  }
  return core;
});
export * from "../shared.js";
