// Cloudflare Workers: the module is imported, since workers compile none at run time.

import * as core from "../../dist/rolesanywhere.js";
import wasm from "../../dist/rolesanywhere_bg.wasm";
import { bind } from "../index.js";

core.initSync({ module: wasm });

export const { fromRolesAnywhere, createSession, signRequest, AwsClient } = bind(() => core);
export * from "../shared.js";
