// As much of S3 as a test wants: objects in memory, and every request's signature checked against its
// credentials, by node:crypto and what AWS's guide says.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const encoded = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/** `secretOf(accessKeyId)` is `{ secretAccessKey, sessionToken }`, or nothing for a key that is not known. */
export async function objectStore(secretOf) {
  const objects = new Map();
  const requests = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const url = new URL(request.url, `http://${request.headers.host}`);
    const refusal = refused(request, url, body, secretOf);
    requests.push({ method: request.method, path: url.pathname, refusal });
    if (refusal !== undefined) {
      response.writeHead(403).end(`<Error><Code>${refusal}</Code><Message>no</Message></Error>`);
    } else if (request.method === "PUT") {
      objects.set(url.pathname, body);
      response.writeHead(200, { etag: '"1"' }).end();
    } else if (request.method === "DELETE") {
      objects.delete(url.pathname);
      response.writeHead(204).end();
    } else if (objects.has(url.pathname)) {
      response.writeHead(200, { "content-type": "application/octet-stream" }).end(objects.get(url.pathname));
    } else {
      response.writeHead(404).end("<Error><Code>NoSuchKey</Code><Message>none</Message></Error>");
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    endpoint: `http://127.0.0.1:${server.address().port}`,
    requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function refused(request, url, body, secretOf) {
  const { headers } = request;
  const given = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
    headers.authorization ?? "",
  );
  if (given === null) return "MissingSecurityHeader";
  const [, accessKeyId, day, region, signed, signature] = given;
  const known = secretOf(accessKeyId);
  if (known === undefined) return "InvalidAccessKeyId";
  if (headers["x-amz-security-token"] !== known.sessionToken) return "InvalidToken";
  const names = signed.split(";");
  if (!["host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"].every((name) => names.includes(name))) return "AccessDenied";
  const payload = headers["x-amz-content-sha256"];
  if (/^[0-9a-f]{64}$/.test(payload) && payload !== sha256(body)) return "XAmzContentSHA256Mismatch";
  const query = [...url.searchParams].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort();
  const canonical = [
    request.method,
    url.pathname,
    query.join("&"),
    ...names.map((name) => `${name}:${headers[name].trim()}`),
    "",
    signed,
    payload,
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", headers["x-amz-date"], `${day}/${region}/s3/aws4_request`, sha256(canonical)].join("\n");
  const key = [day, region, "s3", "aws4_request"].reduce(hmac, `AWS4${known.secretAccessKey}`);
  return timingSafeEqual(hmac(key, text), Buffer.from(signature, "hex")) ? undefined : "SignatureDoesNotMatch";
}
