/**
 * Temporary AWS credentials from an X.509 certificate: AWS IAM Roles Anywhere, in every JavaScript
 * runtime.
 *
 * Every function that fails throws or rejects with a {@link RolesAnywhereError}, whose `code` says
 * what to do.
 */

/**
 * A provider of credentials for the AWS SDK for JavaScript v3 and whatever else takes one.
 *
 * @throws {RolesAnywhereError} `invalid_input` at once for what is missing or contradicts itself; all
 * else at the first call, when the module is there to look at it.
 */
export declare function fromRolesAnywhere(init: RolesAnywhereInit): RolesAnywhereCredentialProvider;

/**
 * Calls CreateSession once and tells all that the service says. Nothing is cached or renewed; for
 * tools and diagnoses.
 */
export declare function createSession(init: RolesAnywhereInit): Promise<Session>;

/**
 * Signs a request to any AWS service (Signature Version 4), in its headers or, with `presign`, in its
 * URL. The request is not sent.
 *
 * Send what is returned as it is: `fetch(signed.url, signed)`.
 */
export declare function signRequest(input: Request | URL | string, options: SignRequestOptions): Promise<SignedRequest>;

/** A `fetch` for AWS: it signs each request with credentials that are valid then. */
export declare class AwsClient {
  constructor(options: AwsClientOptions);
  /** `fetch`, signed. Sent again, signed anew, on 429 and 5xx, unless the body is a stream. */
  fetch(input: Request | URL | string, init?: AwsRequestInit): Promise<Response>;
  /** The signed request, not sent. */
  sign(input: Request | URL | string, init?: AwsRequestInit): Promise<Request>;
}

/**
 * An `AwsCredentialIdentityProvider` of the AWS SDK. Valid credentials are returned at once; when
 * they near their end they are renewed in the background, one request in flight for all callers.
 * When a renewal fails, they are used as long as they are valid.
 */
export interface RolesAnywhereCredentialProvider {
  (properties?: ProviderProperties): Promise<Credentials>;
  /** Tells the SDK that the provider keeps its credentials itself. */
  memoized: boolean;
}

/** What the AWS SDK passes to a provider. */
export interface ProviderProperties {
  /** Renew even if the credentials at hand are good. */
  forceRefresh?: boolean;
  /**
   * The client that asks. Its region must be of the trust anchor's partition, where alone the
   * credentials mean something; sessions are created in the trust anchor's region.
   */
  callerClientConfig?: {
    region?: string | (() => Promise<string>);
    logger?: Partial<Logger>;
  };
  [property: string]: any;
}

/** Temporary credentials: the SDK's `AwsCredentialIdentity`, with everything that is always there. */
export interface Credentials {
  readonly accessKeyId: string;
  /** A secret. JavaScript's strings cannot be wiped: it lives until it is collected. */
  readonly secretAccessKey: string;
  /** A secret. */
  readonly sessionToken: string;
  /** When the service stops accepting them, by its clock. */
  readonly expiration: Date;
  /** The account of the assumed role, twelve digits. */
  readonly accountId?: string;
}

/** What the service says about a session. */
export interface Session {
  readonly credentials: Credentials;
  readonly roleArn?: string;
  /** Who the credentials are, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. */
  readonly assumedRoleArn?: string;
  readonly sourceIdentity?: string;
  readonly subjectArn?: string;
  readonly requestId?: string;
}

/** Content, not a path: PEM or base64 as text, or bytes in any form that the build reads. */
export type Source = string | Uint8Array | ArrayBuffer;

/** Text is taken as UTF-8. */
export type Password = string | Uint8Array | ArrayBuffer;

/** A certificate and who signs for it. */
export type Identity = IdentityWithKey | IdentityWithSigner;

export interface IdentityWithKey extends IdentityCertificates {
  /**
   * The private key: a WebCrypto key (extractable or not) with the usage `sign`, or its content. PEM,
   * DER or PKCS#12; it is imported into WebCrypto where that can sign with it, and signs in the
   * module where not. Absent when the certificate's file holds it.
   *
   * A `CryptoKey` is for `RSASSA-PKCS1-v1_5` with SHA-256, `ECDSA` on P-256, P-384 or P-521, or
   * `ML-DSA-44`, `-65`, `-87`. The WebCrypto-only build reads unencrypted PKCS#8 and nothing else.
   */
  privateKey?: CryptoKey | Source;
  signer?: undefined;
}

export interface IdentityWithSigner extends IdentityCertificates {
  /** What signs with a key that is elsewhere: a key service, an HSM, another worker. */
  signer: Signer | SignFunction;
  privateKey?: undefined;
}

export interface IdentityCertificates {
  /**
   * The end entity's certificate: PEM or DER; in the full build PKCS#12 and PKCS#7 too. It may hold
   * the whole chain, in any order, and the private key.
   */
  certificate: Source;
  /** Certificates that may be issuers; those on the way to the root are sent. */
  certificateChain?: Source;
  /** The password of the private key or of the PKCS#12 file; a function is asked only when one is wanted. */
  password?: Password | (() => Password | Promise<Password>);
}

/**
 * Signs a message. RSA keys sign with PKCS#1 v1.5 and SHA-256, EC keys with SHA-256 whatever the
 * curve and answer in DER, ML-DSA keys sign the message itself with an empty context.
 */
export type SignFunction = (
  message: Uint8Array,
  about: { algorithm: string; keyAlgorithm: string },
) => Promise<Uint8Array | ArrayBuffer> | Uint8Array | ArrayBuffer;

/** A signer whose input or output has another form. */
export interface Signer {
  sign: SignFunction;
  /** What it is passed: the message (default), or its SHA-256 digest (not for ML-DSA). */
  input?: "message" | "digest";
  /** The form of its ECDSA signatures: DER (default: KMS, OpenSSL, `node:crypto`) or r‖s (PKCS#11, WebCrypto). */
  ecdsa?: "der" | "p1363";
}

export type RolesAnywhereInit = RolesAnywhereOptions & (Identity | IdentityFromFunction);

export interface IdentityFromFunction {
  /** Asked at every renewal, so that a certificate that was renewed is used from then on. */
  identity: () => Identity | Promise<Identity>;
  certificate?: undefined;
  certificateChain?: undefined;
  privateKey?: undefined;
  password?: undefined;
  signer?: undefined;
}

export interface RolesAnywhereOptions {
  /** ARN or alias ARN. Its region is where sessions are created. */
  trustAnchorArn: string;
  /** ARN or alias ARN. */
  profileArn: string;
  roleArn: string;
  /** The trust anchor's region, which is the default; another is refused, save `fips-REGION`. */
  region?: string;
  /**
   * The URL of another endpoint: a VPC endpoint, a proxy of your own, an emulator. `http:` is for this machine
   * alone (`localhost`, 127.0.0.0/8, `[::1]`): the answer holds a secret key.
   */
  endpoint?: string;
  /** Use the FIPS endpoint. */
  fips?: boolean;
  /** Use the endpoint that answers over IPv6 too. */
  dualStack?: boolean;
  /** 900 to 43200; the profile decides when absent. */
  durationSeconds?: number;
  /** 2 to 64 of `A-Z a-z 0-9 _ + = , . @ -`; the profile must accept session names. */
  roleSessionName?: string;
  /** At most 50, of 1 to 200 characters. */
  instanceProperties?: Record<string, string>;
  /** Where the request carries the ARNs; default `query`. */
  arnPlacement?: "query" | "body";
  /** What sends requests; default the runtime's `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** How long one attempt may take; default 10,000. A renewal takes no longer than 45 seconds in all, and 15 while there are valid credentials. */
  timeoutMilliseconds?: number;
  /** How often a request is sent before a renewal counts as failed; default 3. */
  maxAttempts?: number;
  /** Shares sessions between isolates or processes. */
  cache?: CacheOptions;
  /**
   * Keeps a worker alive while a renewal runs in the background: `waitUntil` of `cloudflare:workers`.
   * Without it such a renewal may be cut off, and is taken up again by a later request.
   */
  waitUntil?: (promise: Promise<void>) => void;
  /**
   * `warn` is told of what a person should see: a renewal that fails, a clock that is wrong, a store that is
   * down, a shared entry that cannot be opened; `debug` of each renewal and each attempt that is repeated.
   */
  logger?: Partial<Logger>;
  /** Milliseconds since 1970; default `Date.now`. For tests. */
  clock?: () => number;
  /** Default `setTimeout`. For tests. */
  sleep?: (milliseconds: number) => Promise<void>;
}

export interface Logger {
  debug(...content: any[]): void;
  info(...content: any[]): void;
  warn(...content: any[]): void;
  error(...content: any[]): void;
}

// ---- sharing sessions

export interface CacheOptions {
  store: CacheStore;
  /**
   * What entries are encrypted with (AES-GCM): 32 random bytes from the platform's secret store, or a
   * `CryptoKey` with the usages `encrypt` and `decrypt`. Whoever has it and the store has the sessions.
   */
  encryptionKey: Uint8Array | ArrayBuffer | CryptoKey;
  /**
   * For stores without a lock: how long until all see what one has stored; default 60, Workers KV's.
   * About three isolates create a session when one is renewed, however many there are.
   */
  propagationSeconds?: number;
  /** For stores without a lock: how long a first request may wait for another isolate's session; default 1000. */
  coldSpreadMilliseconds?: number;
}

/**
 * Where sessions are stored. A method may fail or take long: then sessions are not shared for a while, and no
 * more. The entries are those of every language of this project that is given the same key.
 */
export interface CacheStore {
  /** The value that was stored under `key` (64 hexadecimal digits), if it is there. Two keys are in use for a session: it, and why it could not be renewed. */
  load(key: string): Promise<Uint8Array | undefined | null>;
  /** Stores a value, encrypted, of about 2 kB, that is of no use after so many seconds. */
  store(key: string, value: Uint8Array, ttlSeconds: number): Promise<void>;
  /**
   * Tries to lock: what unlocks, or nothing when another holds the lock. It must end by itself after
   * so many seconds. Leave it out where the store has no atomic operation.
   */
  lock?(key: string, seconds: number): Promise<(() => Promise<void>) | undefined>;
}

/** Workers KV: seen everywhere within about a minute; no lock. */
export declare function workersKv(namespace: KvNamespace, options?: { prefix?: string }): CacheStore;
/** The Cache API, of one data centre or one browser; no lock. Pass `() => caches.default` in a worker. */
export declare function cacheApi(
  cache: HttpCache | Promise<HttpCache> | (() => HttpCache | Promise<HttpCache>),
  options?: { origin?: string },
): CacheStore;
/** A Durable Object of the class {@link SessionCacheObject}: with a lock, so that one session serves all. */
export declare function durableObject(namespace: DurableObjectNamespaceLike): CacheStore;

/** The Durable Object that {@link durableObject} asks: export it from the worker and bind it. */
export declare class SessionCacheObject {
  constructor(state: { storage: any }, environment?: unknown);
  fetch(request: Request): Promise<Response>;
  alarm(): Promise<void>;
}

/** As much of Workers KV as is used. */
export interface KvNamespace {
  get(key: string, options: { type: "arrayBuffer" }): Promise<ArrayBuffer | null>;
  put(key: string, value: any, options?: { expirationTtl?: number }): Promise<void>;
}
/** As much of the Cache API as is used. */
export interface HttpCache {
  match(request: string): Promise<Response | undefined>;
  put(request: string, response: Response): Promise<void>;
}
/** As much of a Durable Object namespace as is used. */
export interface DurableObjectNamespaceLike {
  idFromName(name: string): any;
  get(id: any): { fetch(url: string, init?: any): Promise<any> };
}

// ---- signing requests

/** Credentials of any origin; a session token comes with temporary ones. */
export interface AnyCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface SignatureOptions {
  credentials: AnyCredentials | (() => Promise<AnyCredentials>);
  /** The region; by default that in the host's name. */
  region?: string;
  /** The service's signing name; by default that in the host's name. */
  service?: string;
}

export interface RequestSignatureOptions {
  /**
   * Whether `credentials` are those that `s3express:CreateSession` returned for one directory bucket of S3: their
   * token has a header of its own.
   */
  s3ExpressSession?: boolean;
  /** Put the signature into the URL. */
  presign?: boolean | { expiresInSeconds?: number };
  /**
   * The SHA-256 of a body that is a stream, in hexadecimal or as bytes; or `"UNSIGNED-PAYLOAD"`, which
   * S3 takes and streams without a hash are sent with.
   */
  payloadSha256?: string | Uint8Array;
  /** When the request is dated; default now. */
  date?: Date;
}

export interface SignRequestOptions extends SignatureOptions, RequestSignatureOptions {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit | null;
}

/** A signed request, in the form that `fetch(signed.url, signed)` takes. */
export interface SignedRequest {
  method: string;
  url: string;
  headers: Headers;
  body: BodyInit | undefined;
}

export interface AwsClientOptions extends SignatureOptions {
  /** What sends requests; default the runtime's `fetch`. */
  fetch?: typeof globalThis.fetch;
  /** How often a request is sent; default 4. */
  maxAttempts?: number;
}

export interface AwsRequestInit extends RequestInit {
  /** What differs from the client's options for this request. */
  aws?: Partial<AwsClientOptions> & RequestSignatureOptions;
}

// ---- errors

/** What kind of error it is, the same in every language; each says what to do. */
export type RolesAnywhereErrorCode =
  /** The service refused (403): check the certificate, the trust anchor, the profile, the role and its trust policy. */
  | "access_denied"
  /** The certificate or its chain cannot be read or used: ask its issuer for another, or convert it. */
  | "invalid_certificate"
  /** An argument is out of bounds or malformed: correct it. */
  | "invalid_input"
  /** The private key cannot be read: convert it as the message says. */
  | "invalid_key"
  /** The answer is not what the service sends: check the endpoint and what stands between. */
  | "invalid_response"
  /** The private key does not belong to the certificate: pass the pair that does. */
  | "key_mismatch"
  /** The key is encrypted and no password was given: give one. */
  | "password_required"
  /** The service found the request invalid (other 4xx): correct the request. */
  | "request_rejected"
  /** The service failed (5xx): try again later. */
  | "service_unavailable"
  /** The signer could not sign: look at the key store that it uses. */
  | "signing_failed"
  /** The service asked to slow down (429): try again later, and share sessions. */
  | "throttled"
  /** The request or the answer was lost on the way: check the network, the proxy and the CA bundle. */
  | "transport_failed"
  /** The format or algorithm is known, and refused by name: convert as the message says. */
  | "unsupported"
  /** The password does not open the key: give the right one. */
  | "wrong_password";

/** Every code. */
export declare const ERROR_CODES: readonly RolesAnywhereErrorCode[];

/** What this package throws. No message holds a secret. */
export declare class RolesAnywhereError extends Error {
  constructor(code: RolesAnywhereErrorCode, message: string, details?: RolesAnywhereErrorDetails);
  readonly name: "RolesAnywhereError";
  readonly code: RolesAnywhereErrorCode;
  /** Whether the same may succeed later. */
  readonly retryable: boolean;
  /** The HTTP status, where the service answered. */
  readonly status?: number;
  /** The service's code, `AccessDeniedException` for instance. */
  readonly serviceCode?: string;
  readonly serviceMessage?: string;
  /** What AWS support asks for. */
  readonly requestId?: string;
  /** How many seconds the service asks to wait. */
  readonly retryAfter?: number;
  /** The service's clock when it answered. */
  readonly serverTime?: Date;
}

export interface RolesAnywhereErrorDetails {
  cause?: unknown;
  status?: number;
  serviceCode?: string;
  serviceMessage?: string;
  requestId?: string;
  retryAfter?: number;
  serverTime?: Date;
}

/** Whether a value is this package's error, of any copy of the package; with `code`, of that code. */
export declare function isRolesAnywhereError(value: unknown): value is RolesAnywhereError;
export declare function isRolesAnywhereError<Code extends RolesAnywhereErrorCode>(
  value: unknown,
  code: Code,
): value is RolesAnywhereError & { readonly code: Code };
