// A certificate authority for the tests, out of node:crypto and a little DER. Nothing of it is ours to
// test: the emulator reads the certificates with another library than the core.

import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";

const OID = {
  commonName: "550403",
  ecdsaWithSha256: "2a8648ce3d040302",
  basicConstraints: "551d13",
  keyUsage: "551d0f",
};

export class Authority {
  #key;

  constructor(name = "Test CA") {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#key = privateKey;
    this.name = distinguishedName(name);
    this.certificate = this.#issue(publicKey.export({ type: "spki", format: "der" }), this.name, true);
  }

  get pem() {
    return pem("CERTIFICATE", this.certificate);
  }

  /** A certificate for a `SubjectPublicKeyInfo`, PEM. */
  issue(spki, name = "client") {
    return pem("CERTIFICATE", this.#issue(spki, distinguishedName(name), false));
  }

  /** A certificate and key, PEM; `kind` as WebCrypto calls it. */
  identity(kind) {
    const { privateKey, publicKey } = keyPair(kind);
    return {
      certificate: this.issue(publicKey.export({ type: "spki", format: "der" })),
      privateKey: privateKey.export({ type: "pkcs8", format: "pem" }),
      key: privateKey,
    };
  }

  /** A certificate and key of ML-DSA, which Node 20 does not make: from the file's seed. */
  mldsa(kind, { seed, [kind]: spki }) {
    const der = Buffer.from(spki, "base64");
    // OneAsymmetricKey { 0, the algorithm of the public key, OCTET STRING { [0] seed } } (RFC 9881)
    const algorithm = der.subarray(4, 4 + 2 + der[5]);
    const key = sequence(Buffer.of(2, 1, 0), algorithm, tlv(4, tlv(0x80, Buffer.from(seed, "hex"))));
    return { certificate: this.issue(der), privateKey: pem("PRIVATE KEY", key) };
  }

  #issue(spki, subject, ca) {
    const algorithm = sequence(oid(OID.ecdsaWithSha256));
    const serial = Buffer.concat([Buffer.of(0x4a), randomBytes(15)]);
    const DAY = 24 * 3600 * 1000;
    const validity = sequence(time(Date.now() - DAY), time(Date.now() + 30 * DAY));
    const usage = ca ? Buffer.of(3, 2, 1, 0x06) : Buffer.of(3, 2, 7, 0x80); // keyCertSign, cRLSign; digitalSignature
    const extensions = sequence(
      extension(OID.basicConstraints, ca ? sequence(Buffer.of(1, 1, 0xff)) : sequence()),
      extension(OID.keyUsage, usage),
    );
    const body = sequence(tlv(0xa0, Buffer.of(2, 1, 2)), tlv(2, serial), algorithm, this.name, validity, subject, spki, tlv(0xa3, extensions));
    const signature = sign("sha256", body, this.#key);
    return sequence(body, algorithm, tlv(3, Buffer.concat([Buffer.of(0), signature])));
  }
}

export function keyPair(kind) {
  return kind.startsWith("RSA")
    ? generateKeyPairSync("rsa", { modulusLength: Number(kind.slice(4)) })
    : generateKeyPairSync("ec", { namedCurve: kind });
}

export { createPrivateKey, createPublicKey };

export function pem(label, der) {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g);
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function tlv(tag, ...contents) {
  const content = Buffer.concat(contents);
  const { length } = content;
  const header = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...header), content]);
}

const sequence = (...contents) => tlv(0x30, ...contents);
const oid = (hex) => tlv(6, Buffer.from(hex, "hex"));
const time = (milliseconds) => tlv(0x18, Buffer.from(new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, "")));
const extension = (id, value) => sequence(oid(id), Buffer.of(1, 1, 0xff), tlv(4, value));
const distinguishedName = (name) => sequence(tlv(0x31, sequence(oid(OID.commonName), tlv(12, Buffer.from(name)))));
