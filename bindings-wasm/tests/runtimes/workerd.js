// Cloudflare's workerd: a request to `/?ORIGIN` runs the suite.

import * as containers from "../../dist/containers.js";
import * as core from "../../dist/rolesanywhere.js";
import * as api from "../../js/entry/workerd.js";
import * as slim from "../../js/entry/workerd-webcrypto.js";
import { run } from "../suite.js";

export default {
  async fetch(request) {
    const origin = decodeURIComponent(new URL(request.url).search.slice(1));
    const fixture = await (await fetch(`${origin}/fixture`)).json();
    return Response.json(await run({ api, slim, core, containers, fixture }));
  },
};
