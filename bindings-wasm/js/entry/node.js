// Node, Deno and Bun.

import { bind } from "../index.js";
import { load } from "./node-core.js";

export const { fromRolesAnywhere, createSession, signRequest, AwsClient } = bind(load);
export * from "../shared.js";
