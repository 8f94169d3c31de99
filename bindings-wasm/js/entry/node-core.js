// The modules' classes in Node: read from the package's folder when they are first needed. The package
// `rolesanywhere` takes them from here where its addon does not fit.

import { readFileSync } from "node:fs";

import * as containers from "../../dist/containers.js";
import * as module from "../../dist/rolesanywhere.js";
import { withContainers } from "../containers.js";

const core = withContainers(module, () => {
  containers.initSync({ module: readFileSync(new URL("../../dist/containers_bg.wasm", import.meta.url)) });
  return containers;
});
let loaded = false;

export function load() {
  if (!loaded) {
    module.initSync({ module: readFileSync(new URL("../../dist/rolesanywhere_bg.wasm", import.meta.url)) });
    loaded = true;
  }
  return core;
}
