// Node, Deno and Bun: `node tests/runtimes/node.js ORIGIN`. The report is the last line.

import * as containers from "../../dist/containers.js";
import * as core from "../../dist/rolesanywhere.js";
import * as api from "../../js/entry/node.js";
import * as slim from "../../js/entry/node-webcrypto.js";
import { run } from "../suite.js";

const [, , origin, only] = process.argv;
const fixture = await (await fetch(`${origin}/fixture`)).json();
console.log(JSON.stringify(await run({ api, slim, core, containers, fixture }, only)));
