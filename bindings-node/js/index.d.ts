/**
 * Temporary AWS credentials from an X.509 certificate: AWS IAM Roles Anywhere, for Node 20 and newer.
 *
 * Every function that fails throws or rejects with a {@link RolesAnywhereError}, whose `code` says what to
 * do. What is not declared here is that of `rolesanywhere-wasm`, on the same core.
 */

import type {
  Credentials,
  IdentityCertificates as SharedCertificates,
  Password,
  RolesAnywhereCredentialProvider,
  RolesAnywhereOptions as SharedOptions,
  Session,
  SignFunction,
  Signer,
  Source as Content,
} from "rolesanywhere-wasm";

export {
  AwsClient,
  ERROR_CODES,
  RolesAnywhereError,
  SessionCacheObject,
  cacheApi,
  durableObject,
  isRolesAnywhereError,
  signRequest,
  workersKv,
} from "rolesanywhere-wasm";
export type {
  AnyCredentials,
  AwsClientOptions,
  AwsRequestInit,
  CacheOptions,
  CacheStore,
  DurableObjectNamespaceLike,
  HttpCache,
  KvNamespace,
  Logger,
  ProviderProperties,
  RequestSignatureOptions,
  RolesAnywhereErrorCode,
  RolesAnywhereErrorDetails,
  SignRequestOptions,
  SignatureOptions,
  SignedRequest,
} from "rolesanywhere-wasm";
export type { Credentials, Password, RolesAnywhereCredentialProvider, Session, SignFunction, Signer };

/**
 * A provider of credentials for the AWS SDK for JavaScript v3 and whatever else takes one.
 *
 * Files are read at the first call, and again at a renewal when they have changed; while changed files
 * cannot be used, the last identity is, as long as its certificate is valid.
 *
 * @throws {RolesAnywhereError} `invalid_input` at once for what is missing or contradicts itself; all else
 * at the first call.
 */
export declare function fromRolesAnywhere(init: RolesAnywhereInit): RolesAnywhereCredentialProvider;

/**
 * The same, configured by a profile of `~/.aws/config`: its `rolesanywhere_*` keys, or its
 * `credential_process` line when that calls `aws_signing_helper credential-process` or `rolesanywhere
 * credential-process`, which is then served in this process.
 *
 * The file is read at the first call. When the profile has neither, or wants what only the program does
 * (PKCS#11, a TPM, a certificate store, `--with-proxy`), the error has `tryNextLink`, on which the SDK's
 * `createCredentialChain` goes on to the next provider.
 */
export declare function fromRolesAnywhereProfile(init?: RolesAnywhereProfileInit): RolesAnywhereCredentialProvider;

/**
 * Calls CreateSession once and tells all that the service says. Nothing is cached or renewed; for tools
 * and diagnoses.
 */
export declare function createSession(init: RolesAnywhereInit): Promise<Session>;

/**
 * Which core this process uses: the native addon, or the WebAssembly module and why. The environment
 * variable `ROLESANYWHERE_BACKEND` demands `native` or `wasm`; `NODE_DEBUG=rolesanywhere` tells of the
 * module on standard error, once.
 */
export declare function backend(): Promise<Backend>;

export type Backend = { readonly kind: "native" } | { readonly kind: "wasm"; readonly reason: string };

/**
 * A path, a `file:` URL, or the content: bytes in any form, or a text that holds PEM or base64 of PEM or of DER. Any
 * other text is a path.
 *
 * What is no path of a file is not repeated by errors, since it may be a key in the wrong place.
 */
export type Source = Content | URL;

/** A key of `node:crypto`, private: RSA, EC, or ML-DSA where Node has it. It signs where it is. */
export interface PrivateKeyObject {
  readonly type: "private" | "public" | "secret";
  readonly asymmetricKeyType?: string | undefined;
  export(options?: any): any;
}

/** A certificate and who signs for it. */
export type Identity = IdentityWithKey | IdentityWithSigner;

export interface IdentityCertificates extends Omit<SharedCertificates, "certificate" | "certificateChain"> {
  /**
   * The end entity's certificate: PEM, DER, PKCS#12 or PKCS#7. It may hold the whole chain, in any order,
   * and the private key.
   */
  certificate: Source;
  /** Certificates that may be issuers; those on the way to the root are sent. */
  certificateChain?: Source;
}

export interface IdentityWithKey extends IdentityCertificates {
  /**
   * The private key: PEM, DER or PKCS#12, encrypted or not, read by the core and used by its native
   * library; or a key that stays in the hands of `node:crypto` or WebCrypto. Absent when the certificate's
   * file holds it.
   */
  privateKey?: Source | PrivateKeyObject | CryptoKey;
  signer?: undefined;
}

export interface IdentityWithSigner extends IdentityCertificates {
  /** What signs with a key that is elsewhere: a key service, an HSM, another process. */
  signer: Signer | SignFunction;
  privateKey?: undefined;
}

export interface IdentityFromFunction {
  /** Asked at every renewal. */
  identity: () => Identity | Promise<Identity>;
  certificate?: undefined;
  certificateChain?: undefined;
  privateKey?: undefined;
  password?: undefined;
  signer?: undefined;
}

/** The request handler of an SDK's client, as far as it is used. */
export interface RequestHandler {
  handle(request: any, options?: any): Promise<{ response: any }>;
}

export interface RolesAnywhereOptions extends SharedOptions {
  /**
   * What sends requests, with its proxies, CA bundle and connections: `new NodeHttpHandler({ … })`. Default
   * the handler of the SDK's client that asks for credentials, and Node's `fetch` where none asks.
   */
  requestHandler?: RequestHandler;
}

export type RolesAnywhereInit = RolesAnywhereOptions & (Identity | IdentityFromFunction);

/** What is given here goes before what the profile says. */
export interface RolesAnywhereProfileInit extends Partial<RolesAnywhereOptions> {
  /** Default the profile of the client that asks, then `AWS_PROFILE`, then `default`. */
  profile?: string;
  /** Default `AWS_CONFIG_FILE`, then `~/.aws/config`. */
  configFilepath?: string;
  /** Default `AWS_SHARED_CREDENTIALS_FILE`, then `~/.aws/credentials`. */
  filepath?: string;
  /** The password of the key, before that of the profile. */
  password?: Password | (() => Password | Promise<Password>);
}
