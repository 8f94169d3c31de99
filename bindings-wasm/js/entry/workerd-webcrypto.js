// Cloudflare Workers: the module is imported, since workers compile none at run time.

import * as core from "../../dist/webcrypto.js";
import wasm from "../../dist/webcrypto_bg.wasm";
import { bind } from "../index.js";

core.initSync({ module: wasm });

export const { fromRolesAnywhere, createSession, signRequest, AwsClient } = bind(() => core);
export * from "../shared.js";
