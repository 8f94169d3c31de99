// The module's classes in Node: read from the package's folder when they are first needed. The package
// `rolesanywhere` takes them from here where its addon does not fit.

import { readFileSync } from "node:fs";

import * as core from "../../dist/rolesanywhere.js";

let loaded = false;

export function load() {
  if (!loaded) {
    core.initSync({ module: readFileSync(new URL("../../dist/rolesanywhere_bg.wasm", import.meta.url)) });
    loaded = true;
  }
  return core;
}
