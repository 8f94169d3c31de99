// Renewal, on the emulator's clock.

import { equal, ok, thrown } from "../assert.js";

export default function cases(suite) {
  suite.test("one request is in flight for many callers, and renewal follows the clock", async (context) => {
    const { api, init, counts, clock, advance, rewind } = context;
    const background = [];
    const provider = api.fromRolesAnywhere(init("P-256", { clock, durationSeconds: 3600, waitUntil: (promise) => background.push(promise) }));
    ok(provider.memoized);
    const before = (await counts()).sessions;
    const many = () => Promise.all(Array.from({ length: 100 }, () => provider()));
    const first = await many();
    equal([new Set(first).size, (await counts()).sessions - before], [1, 1]);
    await advance(1800);
    ok((await provider()) === first[0], "renewed half an hour early");
    // In the background window: what is at hand is returned at once, and renewed.
    await advance(1800 - 600);
    ok((await many()).every((credentials) => credentials === first[0]));
    await Promise.all(background);
    const second = await provider();
    ok(second !== first[0] && second.expiration > first[0].expiration);
    equal((await counts()).sessions - before, 2);
    // Past the end: everyone waits for one.
    await advance(7200);
    equal([new Set(await many()).size, (await counts()).sessions - before], [1, 3]);
    ok((await provider({ forceRefresh: true })).accessKeyId !== second.accessKeyId);
    equal((await counts()).sessions - before, 4);
    await rewind();
  });

  suite.test("valid credentials are served while renewal fails, and the failure after", async (context) => {
    const { api, init, clock, advance, rewind } = context;
    let broken = false;
    let calls = 0;
    const warnings = [];
    const provider = api.fromRolesAnywhere(init("P-256", {
      clock, durationSeconds: 3600, maxAttempts: 2, sleep: async () => {},
      logger: { warn: (line) => warnings.push(line) },
      fetch: (...request) => { calls += 1; return broken ? Promise.reject(new TypeError("unplugged")) : fetch(...request); },
    }));
    const first = await provider();
    broken = true;
    await advance(3600 - 120); // within the mandatory window
    ok((await provider()) === first);
    equal([calls, warnings.length], [3, 1]);
    ok(warnings[0].includes("unplugged") && !warnings[0].includes(first.secretAccessKey));
    ok((await provider()) === first);
    equal(calls, 3); // not at every use
    await advance(3600);
    const error = await thrown(provider);
    equal([error.code, error.retryable], ["transport_failed", true]);
    const soon = await thrown(provider);
    ok(soon !== error && soon.code === error.code && calls === 5, "the last failure is told again without a request");
    broken = false;
    await advance(600);
    ok((await provider()) !== first);
    await rewind();
  });

  suite.test("a wrong clock is corrected by the service's", async (context) => {
    const { api, init, fixture } = context;
    const clock = () => Date.now() - 3600_000;
    const provider = api.fromRolesAnywhere(init("P-256", { clock }));
    const credentials = await provider();
    ok((await provider()) === credentials);
    equal(credentials.accountId, fixture.account);
  });

  suite.test("an identity is asked anew at each renewal", async (context) => {
    const { api, init, fixture, clock, advance, rewind } = context;
    const asked = [];
    const identities = [fixture.identities["P-256"], fixture.identities["RSA-2048"]];
    const provider = api.fromRolesAnywhere({
      ...init("P-256"), certificate: undefined, privateKey: undefined, clock, durationSeconds: 900,
      identity: async () => { asked.push(1); return identities[asked.length - 1]; },
    });
    const first = await provider();
    await advance(900);
    ok((await provider()) !== first);
    equal(asked.length, 2);
    await rewind();
  });

  suite.test("a client of another partition is refused", async ({ api, init }) => {
    const provider = api.fromRolesAnywhere(init("P-256"));
    const client = (region) => ({ callerClientConfig: { region: async () => region } });
    ok(await provider(client("us-west-2")));
    const error = await thrown(() => provider(client("cn-north-1")));
    equal(error.code, "invalid_input");
    ok(error.message.includes("`cn-north-1`") && error.message.includes("`aws-cn`"), error.message);
  });
}
