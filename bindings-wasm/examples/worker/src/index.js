// A Cloudflare Worker that reads and writes S3 with credentials from IAM Roles Anywhere, and no SDK.
//
//   GET /who          who AWS says that we are
//   GET /objects/KEY  an object of the bucket
//   PUT /objects/KEY  stores one; the body streams through
//   GET /links/KEY    a URL that reads it for a minute, without credentials

import { waitUntil } from "cloudflare:workers";
import { AwsClient, SessionCacheObject, durableObject, fromRolesAnywhere, isRolesAnywhereError, signRequest } from "rolesanywhere-wasm/webcrypto";

// All isolates share one session, which this Durable Object keeps, encrypted.
export { SessionCacheObject as Sessions };

// One provider an isolate: made with the first request, since its configuration comes with that.
let credentials;

function provider(env) {
  return (credentials ??= fromRolesAnywhere({
    trustAnchorArn: env.TRUST_ANCHOR_ARN,
    profileArn: env.PROFILE_ARN,
    roleArn: env.ROLE_ARN,
    certificate: env.CERTIFICATE,
    privateKey: env.PRIVATE_KEY, // a secret: unencrypted PKCS#8, imported into WebCrypto as not extractable
    endpoint: env.ENDPOINT, // absent, but for tests
    cache: { store: durableObject(env.SESSIONS), encryptionKey: Uint8Array.from(atob(env.SESSION_KEY), (character) => character.charCodeAt(0)) },
    waitUntil,
    logger: console,
  }));
}

export default {
  async fetch(request, env) {
    const [, what, ...rest] = new URL(request.url).pathname.split("/");
    const object = `${env.BUCKET_URL}/${rest.join("/")}`;
    const aws = new AwsClient({ credentials: provider(env), region: env.REGION });
    try {
      switch (`${request.method} ${what}`) {
        case "GET who":
          return await aws.fetch(`${env.STS_URL}/?Action=GetCallerIdentity&Version=2011-06-15`, { aws: { service: "sts" } });
        case "GET objects":
          return await aws.fetch(object, { aws: { service: "s3" } });
        case "PUT objects":
          return await aws.fetch(object, { method: "PUT", body: request.body, headers: { "content-length": request.headers.get("content-length") }, aws: { service: "s3" } });
        case "GET links": {
          const { url } = await signRequest(object, { credentials: provider(env), region: env.REGION, service: "s3", presign: { expiresInSeconds: 60 } });
          return new Response(url);
        }
        default:
          return new Response("not found", { status: 404 });
      }
    } catch (error) {
      if (!isRolesAnywhereError(error)) throw error;
      return Response.json({ code: error.code, message: error.message, requestId: error.requestId }, { status: 502 });
    }
  },
};
