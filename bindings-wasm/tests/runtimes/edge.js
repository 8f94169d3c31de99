// Vercel's edge-runtime: a script, not a module; the module's bytes come in as globals.

import * as containers from "../../dist/containers.js";
import * as core from "../../dist/rolesanywhere.js";
import * as api from "../../js/entry/slim.js";
import * as slim from "../../js/entry/slim-webcrypto.js";
import { run } from "../suite.js";

addEventListener("fetch", (event) => {
  event.respondWith(
    (async () => {
      api.initialize(globalThis.FULL_WASM, { containers: globalThis.CONTAINERS_WASM });
      slim.initialize(globalThis.WEBCRYPTO_WASM);
      const origin = decodeURIComponent(new URL(event.request.url).search.slice(1));
      const fixture = await (await fetch(`${origin}/fixture`)).json();
      return Response.json(await run({ api, slim, core, containers, fixture }));
    })(),
  );
});
