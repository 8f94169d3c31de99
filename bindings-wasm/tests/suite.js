// The one suite, which every runtime runs: `run({ api, slim, core, containers, fixture })` with the
// package's exports of the full and of the WebCrypto-only build, the full build's classes, the functions
// of the module for containers (none with a core that opens them itself), and the lab's fixture.

import { Suite, ok } from "./assert.js";
import containers from "./cases/containers.js";
import lifecycle from "./cases/lifecycle.js";
import vectors from "./cases/vectors.js";
import keys from "./cases/keys.js";
import renewal from "./cases/renewal.js";
import secrets from "./cases/secrets.js";
import service from "./cases/service.js";
import sharing from "./cases/sharing.js";
import requests from "./cases/requests.js";
import faults from "./cases/faults.js";

const suite = new Suite();
// The first looks at a module that is not loaded yet.
for (const cases of [containers, vectors, lifecycle, keys, secrets, renewal, service, faults, sharing, requests]) cases(suite);

export async function run(context, only) {
  const given = prepared(context);
  // What a test asks of the full build's classes themselves takes a module that is loaded.
  await context.api.createSession(given.init("P-256", { durationSeconds: 1 })).catch(() => {});
  return suite.run(given, only);
}

function prepared({ api, slim, core, containers, fixture }) {
  const { origin } = fixture;
  const control = async (query = "") => (await fetch(`${origin}/control${query}`, { method: "POST" })).json();
  let offset = 0;
  return {
    api, slim, core, containers, fixture,
    /** Parameters for the lab, with an identity of the fixture's. */
    init: (kind, more = {}) => {
      const { certificate, privateKey } = fixture.identities[kind];
      return { ...fixture.arns, endpoint: origin, certificate, privateKey, ...more };
    },
    counts: () => control(),
    clock: () => Date.now() + offset,
    advance: async (seconds) => {
      const before = (await control()).now;
      const { now } = await control(`?advance=${seconds}`);
      ok(now >= before + seconds, "the emulator's clock did not move");
      offset += seconds * 1000;
    },
    /** Goes back to the system's time, for the next test. */
    rewind: async () => {
      if (offset !== 0) await control(`?advance=${-offset / 1000}`);
      offset = 0;
    },
  };
}
