// Who signs: WebCrypto wherever it can, a function of the user's, or the core.
//
// An identity is `{ chain, sign(unsigned) }`: the certificate chain of the core's, and what makes the
// core's `Signature` of an unsigned request.

import { bytesOf, bytesOrNothing, concat } from "./bytes.js";
import { readOpened } from "./containers.js";
import { RolesAnywhereError, awaiting, calling, invalidInput, isRolesAnywhereError, wrapped } from "./errors.js";

// What this file has made: a host that reads identities itself returns it from `identity`.
const made = new WeakSet();

export async function readIdentity(core, given) {
  if (made.has(given)) return given;
  const identity = await read(core, given);
  made.add(identity);
  return identity;
}

async function read(core, given) {
  if (given === null || typeof given !== "object") {
    throw invalidInput("the identity is no object: return `{ certificate, privateKey }` or `{ certificate, signer }`");
  }
  const { certificate, certificateChain, privateKey, password, signer } = given;
  if (certificate === undefined) throw invalidInput("no certificate is given: pass `certificate`, PEM or DER");
  // The core reads base64 itself, where it has all of its readers.
  const plain = core.LocalIdentity === undefined ? (bytes) => decoded(bytes) ?? bytes : (bytes) => bytes;
  const files = {
    certificate: plain(bytesOf(certificate, "the certificate")),
    intermediates: certificateChain === undefined ? undefined : plain(bytesOf(certificateChain, "the certificate chain")),
    password,
  };
  if (signer !== undefined) {
    if (privateKey !== undefined) throw invalidInput("both `privateKey` and `signer` are given: pass one of them");
    return withSigner(core, await readChain(core, files), signer);
  }
  if (isCryptoKey(privateKey)) return withCryptoKey(core, await readChain(core, files), privateKey);
  const key = privateKey === undefined ? undefined : bytesOf(privateKey, "the private key");
  return core.LocalIdentity === undefined
    ? importedByWebCrypto(core, files, key)
    : readByCore(core, files, key);
}

function readChain(core, { certificate, intermediates, password }) {
  const files = [[certificate, "openCertificates"], [intermediates, "openCertificates"]];
  return opening(password, (bytes) =>
    readOpened(core, files, bytes, (...opened) => awaiting(core, () => core.CertificateChain.read(...opened, bytes))),
  );
}

/** Reads with the password; a function is asked for it only when something is to be opened with it. */
async function opening(password, reads) {
  if (typeof password !== "function") return reads(password === undefined ? undefined : bytesOf(password, "the password"));
  try {
    return await reads(undefined);
  } catch (error) {
    if (!isRolesAnywhereError(error, "password_required")) throw error;
  }
  let told;
  try {
    told = await password();
  } catch (thrown) {
    throw wrapped("password_required", "the password's function failed", thrown);
  }
  return reads(bytesOf(told, "what the password's function returned"));
}

// ---- keys as bytes

/** The core reads the key in whatever form it has; WebCrypto signs with it where it can. */
async function readByCore(core, { certificate, intermediates, password }, key) {
  const files = [
    [certificate, key === undefined ? "openIdentity" : "openCertificates"],
    [key, "openPrivateKey"],
    [intermediates, "openCertificates"],
  ];
  const local = await opening(password, (bytes) =>
    readOpened(core, files, bytes, (...opened) => awaiting(core, () => core.LocalIdentity.read(...opened, bytes))),
  );
  try {
    const chain = local.chain;
    const pkcs8 = local.toPkcs8?.(); // a core that signs faster than WebCrypto keeps it
    const cryptoKey = pkcs8 === undefined ? undefined : await imported(local.keyAlgorithm, pkcs8).catch(() => undefined);
    pkcs8?.fill(0);
    if (cryptoKey !== undefined) return byCryptoKey(core, chain, cryptoKey);
    const signer = calling(core, () => local.signer());
    return { chain, signedBy: "core", sign: (unsigned) => awaiting(core, () => signer.sign(unsigned)) };
  } finally {
    local.free?.();
  }
}

/** Without the core's readers: PKCS#8 that is not encrypted. */
async function importedByWebCrypto(core, files, key) {
  const chain = await readChain(core, files);
  if (key === undefined) {
    throw invalidInput("no private key is given: pass `privateKey` or `signer` (this build does not look for it in the certificate's file)");
  }
  const pkcs8 = pkcs8Of(key);
  let cryptoKey;
  try {
    cryptoKey = await imported(chain.keyAlgorithm, pkcs8);
  } catch (thrown) {
    throw new RolesAnywhereError(
      "invalid_key",
      `WebCrypto does not take the private key as ${chain.keyAlgorithm}: pass the key of the certificate, unencrypted PKCS#8, or use the full build`,
      { cause: thrown },
    );
  } finally {
    if (pkcs8 !== key) pkcs8.fill(0);
  }
  return withCryptoKey(core, chain, cryptoKey);
}

function imported(keyAlgorithm, pkcs8) {
  return crypto.subtle.importKey("pkcs8", pkcs8, webCryptoAlgorithm(keyAlgorithm), false, ["sign"]);
}

function pkcs8Of(key) {
  if (key[0] === SEQUENCE) return key; // base64 that begins with this character is of no DER and no PEM
  const text = new TextDecoder().decode(key);
  const block = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(text);
  if (block === null) {
    const inner = decoded(key);
    if (inner !== undefined) {
      const pkcs8 = pkcs8Of(inner);
      if (pkcs8 !== inner) inner.fill(0);
      return pkcs8;
    }
    const label = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----/.exec(text)?.[1];
    throw new RolesAnywhereError(
      label === undefined ? "invalid_key" : "unsupported",
      label === undefined
        ? "the private key is neither PEM nor DER: pass unencrypted PKCS#8"
        : `the private key is \`${label}\`, which this build does not read: convert it with \`openssl pkcs8 -topk8 -nodes\`, or use the full build`,
    );
  }
  const pkcs8 = fromBase64(block[1]);
  if (pkcs8 === undefined) throw new RolesAnywhereError("invalid_key", "the private key's PEM is not base64: export the key again");
  return pkcs8;
}

const SEQUENCE = 0x30;

/** The PEM or DER that base64 stands for, as variables carry it; nothing when the bytes are none. */
function decoded(bytes) {
  const text = new TextDecoder().decode(bytes);
  const inner = /^[A-Za-z0-9+/=\s]+$/.test(text) ? fromBase64(text) : undefined;
  if (inner === undefined) return undefined;
  const isContent = inner[0] === SEQUENCE || new TextDecoder().decode(inner).includes("-----BEGIN ");
  return isContent ? inner : undefined;
}

function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text.replace(/\s/g, "")), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

// ---- WebCrypto

function isCryptoKey(value) {
  return Object.prototype.toString.call(value) === "[object CryptoKey]";
}

async function withCryptoKey(core, chain, key) {
  const { keyAlgorithm } = chain;
  if (key.type !== "private" || !key.usages.includes("sign")) {
    throw new RolesAnywhereError("invalid_key", `the CryptoKey is ${key.type} for ${key.usages.join(", ") || "nothing"}: pass the private key with the usage \`sign\``);
  }
  const wanted = webCryptoAlgorithm(keyAlgorithm);
  const { name, namedCurve, hash, modulusLength } = key.algorithm;
  if (name !== wanted.name || (wanted.namedCurve ?? namedCurve) !== namedCurve) {
    throw new RolesAnywhereError(
      "key_mismatch",
      `the CryptoKey is ${[name, namedCurve].filter(Boolean).join(" ")}, the certificate's key is ${keyAlgorithm}: pass the pair that belongs together, as ${[wanted.name, wanted.namedCurve].filter(Boolean).join(" ")}`,
    );
  }
  if (modulusLength !== undefined && `RSA-${modulusLength}` !== keyAlgorithm) {
    throw new RolesAnywhereError("key_mismatch", `the CryptoKey is RSA-${modulusLength}, the certificate's key is ${keyAlgorithm}: pass the pair that belongs together`);
  }
  if (hash !== undefined && hash.name !== "SHA-256") {
    throw new RolesAnywhereError("unsupported", `the CryptoKey is for ${hash.name}, the service wants SHA-256: import or generate it with \`hash: "SHA-256"\``);
  }
  return byCryptoKey(core, chain, key, checker(chain));
}

/** Signs with a key whose kind is the certificate's; `check` is asked about the first signature. */
function byCryptoKey(core, chain, key, check) {
  const { form, parameters } = signing(chain.keyAlgorithm);
  let checked = check === undefined;
  return {
    chain,
    signedBy: "webcrypto",
    async sign(unsigned) {
      const message = unsigned.stringToSign;
      let signature;
      try {
        signature = new Uint8Array(await crypto.subtle.sign(parameters, key, message));
      } catch (thrown) {
        throw wrapped("signing_failed", "WebCrypto does not sign with the key", thrown);
      }
      if (!checked) {
        await check(signature, message);
        checked = true;
      }
      return calling(core, () => unsigned.signature(form, signature));
    },
  };
}

/** How WebCrypto calls a key of the core's kinds. */
function webCryptoAlgorithm(keyAlgorithm) {
  if (keyAlgorithm.startsWith("RSA")) return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  if (keyAlgorithm.startsWith("EC ")) return { name: "ECDSA", namedCurve: keyAlgorithm.slice(3) };
  return { name: keyAlgorithm };
}

/** How WebCrypto signs with it, and what the signature is. */
function signing(keyAlgorithm) {
  const { name } = webCryptoAlgorithm(keyAlgorithm);
  if (name === "ECDSA") return { form: "ecdsa_p1363", parameters: { name, hash: "SHA-256" } };
  return { form: name.startsWith("ML-DSA") ? "mldsa" : "rsa_pkcs1", parameters: { name } };
}

/** What checks a signature under the certificate's key, where WebCrypto can. */
function checker(chain) {
  const { keyAlgorithm, publicKey } = chain;
  const { parameters } = signing(keyAlgorithm);
  const algorithm = webCryptoAlgorithm(keyAlgorithm);
  let loading;
  return async (signature, message) => {
    loading ??= crypto.subtle
      .importKey(...publicForm(keyAlgorithm, publicKey), algorithm, false, ["verify"])
      .catch(() => undefined); // a curve that this runtime lacks: the service will tell
    const key = await loading;
    if (key !== undefined && !(await crypto.subtle.verify(parameters, key, signature, message))) {
      throw new RolesAnywhereError(
        "key_mismatch",
        `the signature is not valid under the certificate's ${keyAlgorithm} key: sign the bytes as they are with the private key that belongs to the certificate`,
      );
    }
  };
}

function publicForm(keyAlgorithm, key) {
  if (keyAlgorithm.startsWith("EC ")) return ["raw", key];
  if (keyAlgorithm.startsWith("ML-DSA")) return ["raw-public", key];
  // SubjectPublicKeyInfo { { rsaEncryption, NULL }, BIT STRING { key } }
  const identifier = Uint8Array.of(0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0);
  return ["spki", der(0x30, concat(identifier, der(3, concat(Uint8Array.of(0), key))))];
}

function der(tag, content) {
  const { length } = content;
  const header = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return concat(Uint8Array.of(tag, ...header), content);
}

// ---- a function of the user's

function withSigner(core, chain, given) {
  const { sign, input = "message", ecdsa = "der" } = typeof given === "function" ? { sign: given } : given;
  if (typeof sign !== "function") throw invalidInput("the signer has no function `sign`: pass a function, or `{ sign }`");
  if (input !== "message" && input !== "digest") throw invalidInput(`the signer's input \`${input}\` is neither \`message\` nor \`digest\``);
  if (ecdsa !== "der" && ecdsa !== "p1363") throw invalidInput(`the signer's ECDSA form \`${ecdsa}\` is neither \`der\` nor \`p1363\``);
  const { keyAlgorithm } = chain;
  const { form: webCryptoForm } = signing(keyAlgorithm);
  const form = webCryptoForm === "ecdsa_p1363" ? `ecdsa_${ecdsa}` : webCryptoForm;
  if (input === "digest" && form === "mldsa") {
    throw invalidInput("ML-DSA signs the message itself: pass a signer with `input: \"message\"`");
  }
  const check = checker(chain);
  return {
    chain,
    signedBy: "signer",
    async sign(unsigned) {
      const message = unsigned.stringToSign;
      const passed = input === "digest" ? new Uint8Array(await crypto.subtle.digest("SHA-256", message)) : message.slice();
      let made;
      try {
        made = await sign(passed, { algorithm: unsigned.algorithm, keyAlgorithm });
      } catch (thrown) {
        throw wrapped("signing_failed", "the signer failed", thrown);
      }
      const signature = typeof made === "string" ? undefined : bytesOrNothing(made);
      if (signature === undefined) {
        throw new RolesAnywhereError("signing_failed", "the signer returned no bytes: return a Uint8Array or an ArrayBuffer");
      }
      const accepted = calling(core, () => unsigned.signature(form, signature));
      // A foreign key may be another than the certificate's, at any time.
      const comparable = form === "ecdsa_der" ? p1363(signature, keyAlgorithm) : signature;
      await check(comparable, message);
      return accepted;
    },
  };
}

/** The r‖s that WebCrypto verifies, of DER that the core has found canonical. */
function p1363(signature, keyAlgorithm) {
  const length = { "EC P-256": 32, "EC P-384": 48, "EC P-521": 66 }[keyAlgorithm];
  const out = new Uint8Array(2 * length);
  let at = signature[1] < 0x80 ? 2 : 3;
  for (const end of [length, 2 * length]) {
    const size = signature[at + 1];
    const integer = signature.subarray(at + 2, at + 2 + size);
    const digits = integer.subarray(Math.max(0, size - length));
    out.set(digits, end - digits.length);
    at += 2 + size;
  }
  return out;
}
