// A worker whose requests stand for isolates: each makes providers of its own on one store.

import { SessionCacheObject, cacheApi, durableObject, fromRolesAnywhere, workersKv } from "../../js/entry/workerd.js";

export { SessionCacheObject as Sessions };

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const stores = {
      durable: () => durableObject(env.SESSIONS),
      kv: () => workersKv(env.KV),
      cache: () => cacheApi(() => caches.default),
    };
    const failures = [];
    const isolate = () =>
      fromRolesAnywhere({
        trustAnchorArn: env.TRUST_ANCHOR_ARN, profileArn: env.PROFILE_ARN, roleArn: env.ROLE_ARN, endpoint: env.ENDPOINT,
        certificate: env.CERTIFICATE, privateKey: env.PRIVATE_KEY,
        durationSeconds: url.searchParams.has("name") ? 1800 : undefined, // another session
        cache: { store: stores[url.pathname.slice(1)](), encryptionKey: Uint8Array.from(atob(env.SESSION_KEY), (character) => character.charCodeAt(0)) },
        logger: { warn: (line) => failures.push(line) },
      })();
    const together = Number(url.searchParams.get("together") ?? 1);
    const first = await Promise.all(Array.from({ length: together }, isolate));
    const later = [await isolate(), await isolate()];
    const ids = new Set([...first, ...later].map(({ accessKeyId }) => accessKeyId));
    return new Response(JSON.stringify({ ids: ids.size, failures }), { status: ids.size === 1 && failures.length === 0 ? 200 : 500 });
  },
};
