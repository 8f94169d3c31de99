// In a page: the report is `document.title`'s sign and `globalThis.report`.

import * as containers from "../../dist/containers.js";
import * as core from "../../dist/rolesanywhere.js";
import * as api from "../../js/entry/web.js";
import * as slim from "../../js/entry/web-webcrypto.js";
import { run } from "../suite.js";

const fixture = await (await fetch("/fixture")).json();
globalThis.report = await run({ api, slim, core, containers, fixture });
document.title = "done";
