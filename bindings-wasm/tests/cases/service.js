// The service's refusals, and what stands between.

import { equal, ok, thrown } from "../assert.js";

export default function cases(suite) {
  suite.test("a refusal carries status, code and request id, and no secret", async ({ api, init }) => {
    const error = await thrown(() => api.createSession(init("P-256", { roleArn: "arn:aws:iam::123456789012:role/other" })));
    equal([error.name, error.code, error.status, error.serviceCode, error.retryable], ["RolesAnywhereError", "access_denied", 403, "AccessDeniedException", false]);
    ok(error.requestId.length > 10 && error.serverTime instanceof Date);
    ok(error.message.includes(error.serviceMessage), error.message);
  });

  suite.test("answers that are no session", async ({ api, init }) => {
    const failing = async (answer, more = {}) => {
      const error = await thrown(() => api.createSession(init("P-256", { maxAttempts: 1, fetch: async (...request) => answer(...request), ...more })));
      ok(api.isRolesAnywhereError(error), String(error?.stack));
      return error;
    };
    equal((await failing(() => new Response("<html>", { status: 200 }))).code, "invalid_response");
    equal((await failing(() => new Response("", { status: 201 }))).code, "invalid_response");
    equal((await failing(() => new Response(null, { status: 302, headers: { location: "https://elsewhere.example" } }))).code, "invalid_response");
    equal((await failing(() => new Response(new Uint8Array(300 * 1024), { status: 201 }))).code, "invalid_response");
    equal((await failing(() => { throw new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") }); })).code, "transport_failed");
    // What a host hangs onto its error, of an answer that it cannot read, is not passed on.
    const refused = await failing(() => {
      throw new TypeError("fetch failed\u0000\u202e", { cause: Object.assign(new Error("no HTTP"), { data: "hushhush" }) });
    });
    ok(refused.message.includes("fetch failed\\u{0}\\u{202e}"), refused.message);
    for (let error = refused; error !== undefined; error = error.cause) ok(error.data === undefined, error.message);
    const throttled = await failing(() => new Response('{"message":"Rate exceeded"}', { status: 429, headers: { "retry-after": "3" } }));
    equal([throttled.code, throttled.retryAfter, throttled.retryable], ["throttled", 3, true]);
    const started = Date.now();
    const late = await failing(() => new Promise(() => {}), { timeoutMilliseconds: 100 });
    ok(late.code === "transport_failed" && late.message.includes("within 0.1 s") && Date.now() - started < 5000, late.message);
    // A secret in a broken answer is not repeated.
    const secret = await failing(() => new Response('{"credentialSet":[{"credentials":{"secretAccessKey":"hushhush"', { status: 201 }));
    ok(!`${secret.message}${secret.stack}${JSON.stringify(secret)}`.includes("hushhush"));
  });

  suite.test("a failing service is asked again, signed anew, and no more than asked", async ({ api, init }) => {
    const seen = [];
    const pauses = [];
    let now = Date.now();
    const options = init("P-256", {
      clock: () => (now += 250),
      sleep: async (milliseconds) => { pauses.push(milliseconds); },
      fetch: async (url, request) => {
        seen.push(request.headers.get("authorization"));
        return seen.length < 3 ? new Response("{}", { status: 503 }) : fetch(url, request);
      },
    });
    ok((await api.createSession(options)).credentials.accessKeyId);
    equal([seen.length, new Set(seen).size, pauses.length], [3, 3, 2]);
    ok(pauses.every((pause) => pause >= 0 && pause <= 5000));
    const always = init("P-256", { sleep: async () => {}, fetch: async () => { seen.push(""); return new Response("{}", { status: 500 }); } });
    equal((await thrown(() => api.createSession(always))).code, "service_unavailable");
    equal(seen.length, 6);
  });
}
