// Requests to other services.

import { equal, ok, thrown } from "../assert.js";

export default function cases(suite) {
  suite.test("AwsClient signs, retries and streams", async (context) => {
    const { api, init, fixture } = context;
    const credentials = api.fromRolesAnywhere(init("P-256"));
    const client = new api.AwsClient({ credentials, region: fixture.region, service: "sts" });
    const query = "Action=GetCallerIdentity&Version=2011-06-15";
    const response = await client.fetch(`${fixture.origin}/?${query}`);
    ok(response.ok && (await response.text()).includes("assumed-role/app/"));
    const form = await client.fetch(`${fixture.origin}/`, { method: "POST", body: new URLSearchParams(query) });
    equal(form.status, 200, await form.text());
    const request = await client.sign(new Request(`${fixture.origin}/?${query}`, { headers: { "x-own": "1" } }));
    ok(request.headers.get("authorization").includes("x-own") && request.headers.get("x-amz-security-token") !== null);
    equal((await fetch(request)).status, 200);

    const presigned = await api.signRequest(`${fixture.origin}/?${query}`, { credentials, region: fixture.region, service: "sts", presign: { expiresInSeconds: 60 } });
    equal((await fetch(presigned.url)).status, 200);
    equal((await fetch(presigned.url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))).status, 403);

    const posted = new Request(`${fixture.origin}/`, { method: "POST", body: query, headers: { "content-type": "application/x-www-form-urlencoded" } });
    const answer = await client.fetch(posted);
    equal(answer.status, 200, await answer.text());
    equal((await thrown(() => client.fetch("relative"))).code, "invalid_input");

    const seen = [];
    const fake = async (url, { headers, body }) => {
      seen.push({ url, headers, body });
      return new Response("", { status: seen.length < 3 ? 503 : 200 });
    };
    const s3 = new api.AwsClient({ credentials, fetch: fake });
    equal((await s3.fetch("https://bucket.s3.eu-west-1.amazonaws.com/a%20b/c", { method: "PUT", body: "hello" })).status, 200);
    equal(seen.length, 3);
    ok(seen[0].headers.get("authorization").includes("/eu-west-1/s3/aws4_request"));
    equal(seen[0].headers.get("x-amz-content-sha256"), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    const stream = () => new ReadableStream({ start: (controller) => { controller.enqueue(Uint8Array.of(1)); controller.close(); } });
    const url = "https://bucket.s3.eu-west-1.amazonaws.com/key";
    const streamed = await api.signRequest(url, { method: "PUT", body: stream(), credentials });
    equal(streamed.headers.get("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
    const hashed = await api.signRequest(url, { method: "PUT", body: stream(), credentials, payloadSha256: "00".repeat(32) });
    equal(hashed.headers.get("x-amz-content-sha256"), "00".repeat(32));
    const bucket = await api.signRequest(url, { credentials, presign: { expiresInSeconds: 60 } });
    const parameters = new URL(bucket.url).searchParams;
    equal([parameters.get("X-Amz-Expires"), parameters.get("X-Amz-SignedHeaders"), parameters.has("X-Amz-Signature")], ["60", "host", true]);
    const code = async (...call) => (await thrown(() => api.signRequest(...call))).code;
    equal(await code("https://sts.eu-west-1.amazonaws.com", { method: "POST", body: stream(), credentials }), "invalid_input");
    equal(await code("http://bucket.s3.amazonaws.com/", { method: "PUT", body: stream(), credentials }), "invalid_input");
    equal(await code("https://example.com/", { credentials }), "invalid_input");
    equal(await code(url, { credentials, presign: { expiresInSeconds: 0 } }), "invalid_input");
    equal(await code(url, {}), "invalid_input");
  });

  suite.test("service and region by the host's name", async ({ api }) => {
    const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
    const { headers } = await api.signRequest("https://email.us-gov-west-1.amazonaws.com/", { credentials });
    ok(headers.get("authorization").includes("/us-gov-west-1/ses/aws4_request"), headers.get("authorization"));
    // Transfer Acceleration names no region.
    const accelerated = "https://bucket.s3-accelerate.amazonaws.com/key";
    const refused = await thrown(() => api.signRequest(accelerated, { credentials }));
    equal([refused.code, /pass `region`/.test(refused.message)], ["invalid_input", true]);
    ok((await api.signRequest(accelerated, { credentials, region: "eu-west-1" })).headers.get("authorization").includes("/eu-west-1/s3/"));
  });

  suite.test("the URL that is sent is the one that was signed", async ({ api }) => {
    const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
    const url = new URL("https://abc.execute-api.eu-west-1.amazonaws.com/");
    url.searchParams.set("q", "a b+c");
    equal(url.search, "?q=a+b%2Bc");
    for (const presign of [false, true]) {
      const signed = await api.signRequest(url, { credentials, presign });
      ok(signed.url.includes("?q=a%20b%2Bc"), signed.url);
    }
    const date = new Date(1_780_000_000_000);
    const spaced = await api.signRequest(url, { credentials, date });
    const same = await api.signRequest("https://abc.execute-api.eu-west-1.amazonaws.com/?q=a%20b%2Bc", { credentials, date });
    equal(spaced.headers.get("authorization"), same.headers.get("authorization"));
  });

  suite.test("a token of s3express:CreateSession has a header of its own", async ({ api }) => {
    const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: "token" };
    const url = "https://bucket--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com/key";
    const { headers } = await api.signRequest(url, { credentials, s3ExpressSession: true });
    equal([headers.get("x-amz-s3session-token"), headers.get("x-amz-security-token")], ["token", null]);
    ok(headers.get("authorization").includes("/us-east-1/s3express/"));
  });

  suite.test("a body that is not signed says so, for every service", async ({ api }) => {
    const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
    const url = "https://abc.execute-api.eu-west-1.amazonaws.com/";
    const { headers } = await api.signRequest(url, { credentials, method: "POST", body: "a", payloadSha256: "UNSIGNED-PAYLOAD" });
    equal(headers.get("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
    ok(headers.get("authorization").includes("x-amz-content-sha256"));
  });
}
