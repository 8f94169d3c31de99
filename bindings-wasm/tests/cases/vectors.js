// The vectors that every language runs.

import { equal, ok } from "../assert.js";
import { unix } from "./common.js";

export default function cases(suite) {
  suite.test("vectors: errors", ({ api, core, fixture }) => {
    const { errors } = fixture.vectors;
    ok(errors.length > 10);
    equal([...api.ERROR_CODES], errors.map(({ code }) => code));
    equal([...core.errorCodes()], errors.map(({ code }) => code));
    for (const { code, retryable } of errors) {
      const error = new api.RolesAnywhereError(code, "a message");
      equal([error.code, error.retryable, new core.Failure(code, "m").retryable], [code, retryable, retryable]);
      ok(error instanceof Error && api.isRolesAnywhereError(error, code) && !api.isRolesAnywhereError(new Error("x")));
    }
  });

  suite.test("vectors: endpoints", ({ core, fixture }) => {
    const { endpoints } = fixture.vectors;
    ok(endpoints.length > 100);
    for (const { region, fips, dual_stack: dualStack, url, signing_region: signing, partition } of endpoints) {
      const arn = `arn:${partition}:rolesanywhere:${signing}:${fixture.account}`;
      const call = new core.CreateSession(`${arn}:trust-anchor/a`, `${arn}:profile/p`, `arn:${partition}:iam::${fixture.account}:role/r`, region, undefined, fips, dualStack, undefined, undefined, [], false);
      equal([call.endpointUrl, call.region, call.partition, core.partitionOf(signing)], [url, signing, partition, partition]);
      call.free?.();
    }
  });

  suite.test("vectors: create-session", async ({ core, fixture }) => {
    const { cases } = fixture.vectors;
    ok(cases.length > 0);
    for (const { context, request, certificate, canonicalRequest, stringToSign, authorization } of cases) {
      const chain = await core.CertificateChain.read(new TextEncoder().encode(certificate), undefined, undefined);
      equal(chain.serialDecimal, context.serial_number);
      const call = new core.CreateSession(context.trust_anchor_arn, context.profile_arn, context.role_arn, context.region, context.endpoint, false, false, context.duration_seconds, undefined, [], context.arns === "body");
      const unsigned = call.prepare(chain, unix(context.time));
      // Ours, with the headers of the case that this face does not send.
      const signed = /SignedHeaders=([^,]+)/.exec(authorization)[1].split(";");
      const lines = unsigned.canonicalRequest.split("\n");
      const own = new Map(lines.slice(3, -3).map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
      const arrived = new Map(request.headers.map(([name, value]) => [name.toLowerCase(), value.trim().replace(/ +/g, " ")]));
      ok([...own.keys()].every((name) => signed.includes(name)), "a header is signed that the case does not sign");
      const rebuilt = [...lines.slice(0, 3), ...signed.map((name) => `${name}:${own.get(name) ?? arrived.get(name)}`), "", signed.join(";"), lines.at(-1)].join("\n");
      equal(rebuilt, canonicalRequest);
      const digest = Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(rebuilt))), (byte) => byte.toString(16).padStart(2, "0")).join("");
      const text = new TextDecoder().decode(unsigned.stringToSign).split("\n");
      equal([...text.slice(0, 3), digest].join("\n"), stringToSign);
      ok(authorization.startsWith(`${text[0]} Credential=${context.serial_number}/${text[2]}, `));
      // The recorded signature, by WebCrypto.
      equal(chain.keyAlgorithm, "RSA-2048");
      const pkcs1 = chain.publicKey;
      const spki = Uint8Array.of(0x30, 0x82, (pkcs1.length + 20) >> 8, (pkcs1.length + 20) & 255, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0, 3, 0x82, (pkcs1.length + 1) >> 8, (pkcs1.length + 1) & 255, 0, ...pkcs1);
      const key = await crypto.subtle.importKey("spki", spki, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, ["verify"]);
      const signature = Uint8Array.from(/Signature=(\w+)/.exec(authorization)[1].match(/../g), (pair) => Number.parseInt(pair, 16));
      ok(await crypto.subtle.verify("RSASSA-PKCS1-v1_5", key, signature, new TextEncoder().encode(stringToSign)));
    }
  });

  suite.test("vectors: signed requests", async ({ core, fixture }) => {
    const { access_key_id: id, secret_access_key: secret, requests } = fixture.vectors.requests;
    ok(requests.length >= 100);
    for (const given of requests) {
      const now = unix(given.time);
      const key = new core.SigningKey(id, secret, given.session_token, now, given.region, given.service, given.session_token_kind === "s3express");
      const sha = given.payload === "unsigned" || given.form === "query" ? undefined : new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(given.body)));
      if (given.form === "header") {
        const headers = key.signHeaders(given.method, given.path, given.query, given.headers.flat(), sha, now);
        equal(headers[headers.indexOf("Authorization") + 1], given.authorization);
      } else {
        const query = key.presign(given.method, given.path, given.query, given.headers.flat(), sha, now, given.expires);
        equal(query.slice(query.lastIndexOf("=") + 1), given.signature);
      }
      key.free?.();
    }
  });

  suite.test("vectors: hosts", ({ core, fixture }) => {
    ok(fixture.vectors.hosts.length > 3000);
    for (const [host, service, region] of fixture.vectors.hosts) equal(core.hostScope(host), [service ?? "", region ?? ""], host);
  });

  suite.test("vectors: signed requests through signRequest", async ({ api, fixture }) => {
    const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, requests } = fixture.vectors.requests;
    let compared = 0;
    for (const given of requests) {
      const host = given.headers.find(([name]) => name.toLowerCase() === "host")[1];
      const address = `https://${host}${given.path}${given.query === "" ? "" : `?${given.query}`}`;
      // What `URL` and `Headers` rewrite before it can be signed is not the same request any more.
      const url = URL.canParse(address) ? new URL(address) : undefined;
      const names = given.headers.map(([name]) => name.toLowerCase());
      const same = url !== undefined && url.host === host && url.pathname + url.search === `${given.path}${given.query === "" ? "" : `?${given.query}`}` && new Set(names).size === names.length;
      if (!same || names.includes("content-length")) continue;
      const headers = given.headers.filter(([name]) => name.toLowerCase() !== "host");
      if (given.body !== "" && !names.includes("content-type")) continue; // `fetch` would add one, which is signed
      const signed = await api.signRequest(url, {
        method: given.method, headers, region: given.region, service: given.service, date: new Date(unix(given.time) * 1000),
        // In a presigned URL the service's default.
        payloadSha256: given.form === "query" ? undefined : given.canonical_request.split("\n").at(-1),
        s3ExpressSession: given.session_token_kind === "s3express",
        credentials: { accessKeyId, secretAccessKey, sessionToken: given.session_token },
        presign: given.form === "query" ? { expiresInSeconds: given.expires } : false,
      }).catch((error) => (error.code === "invalid_input" && /only S3/.test(error.message) ? undefined : Promise.reject(error)));
      if (signed === undefined) continue;
      const expected = given.form === "header" ? given.authorization : given.signature;
      equal(given.form === "header" ? signed.headers.get("authorization") : signed.url.slice(signed.url.lastIndexOf("=") + 1), expected);
      compared += 1;
    }
    ok(compared >= 10, `only ${compared} requests were comparable`);
  });
}
