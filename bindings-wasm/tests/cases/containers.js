// Encrypted keys and containers, and the module that opens them.

import { equal, ok, thrown } from "../assert.js";
import { base64 } from "./common.js";

export default function cases(suite) {
  suite.test("the module for containers is loaded when a file needs it, and not before", async ({ api, core, containers, fixture, init }) => {
    // The native core opens everything itself.
    if (containers === undefined) return equal(core.isContainer, undefined);
    const isLoaded = () => {
      try {
        containers.openPrivateKey(new Uint8Array());
        return true;
      } catch {
        return false;
      }
    };
    ok(!isLoaded(), "it is loaded from the start");
    const { certificate, privateKey, containers: forms } = fixture.identities["P-256"];
    const password = () => { throw new Error("asked for no reason"); };
    const plain = [
      { privateKey: forms.traditional },
      { privateKey: base64(forms.der), password },
      { certificate: certificate + privateKey, privateKey: undefined, password },
      { certificate: base64(forms.certificate), certificateChain: certificate },
      { certificate: certificate + forms.encrypted, privateKey, password }, // a key that is not wanted
      { privateKey: undefined, signer: () => { throw new Error("no"); } },
      { privateKey: new TextEncoder().encode("no key") },
      { certificate: new TextEncoder().encode("no certificate") },
      { privateKey: fixture.stranger.privateKey },
    ];
    const codes = [];
    for (const given of plain) {
      codes.push(await api.createSession(init("P-256", given)).then(() => "session", (error) => error.code));
      ok(!isLoaded(), `it was loaded for ${JSON.stringify(given)}`);
    }
    equal(codes, ["session", "session", "session", "session", "session", "signing_failed", "invalid_key", "invalid_certificate", "key_mismatch"]);
    await api.createSession(init("P-256", { certificate: base64(forms.pkcs12), privateKey: undefined, password: "secret" }));
    return ok(isLoaded(), "it was not loaded for PKCS#12");
  });

  suite.test("containers: PKCS#1, SEC1, encrypted PKCS#8, DER, PKCS#12, PKCS#7", async (context) => {
    const { api, fixture, init } = context;
    for (const kind of ["RSA-2048", "P-256", "P-384", "P-521"]) {
      const { certificate, containers } = fixture.identities[kind];
      for (const given of [
        { privateKey: containers.traditional },
        { privateKey: containers.encrypted, password: "secret" },
        { privateKey: containers.encrypted, password: async () => new TextEncoder().encode("secret") },
        { privateKey: containers.legacy, password: "secret" },
        { privateKey: base64(containers.der) },
        { privateKey: base64(containers.encryptedDer), password: "secret" },
        { certificate: base64(containers.pkcs12), privateKey: undefined, password: "secret" },
        { privateKey: base64(containers.pkcs12), password: () => "secret" },
        { certificate: certificate + containers.traditional, privateKey: undefined },
        { certificate: certificate + containers.encrypted, privateKey: undefined, password: () => "secret" },
        { certificate: base64(containers.pkcs7) },
        { certificate: base64(containers.ber) },
        { certificateChain: base64(containers.pkcs7) },
        { certificateChain: base64(containers.pkcs12), password: "secret" },
      ]) {
        const { assumedRoleArn } = await api.createSession(init(kind, given));
        ok(assumedRoleArn.includes(":assumed-role/app/"));
      }
      const unasked = () => { throw new Error("asked for no reason"); };
      ok((await api.createSession(init(kind, { password: unasked }))).assumedRoleArn);
      ok((await api.createSession(init(kind, { certificate: base64(containers.pkcs7), password: unasked }))).assumedRoleArn);
      const none = () => { throw new Error("cancelled"); };
      for (const given of [{ privateKey: containers.encrypted }, { privateKey: containers.legacy }, { certificate: base64(containers.pkcs12), privateKey: undefined }]) {
        const codes = [];
        for (const password of ["wrong", undefined, async () => "wrong", none, () => 7]) {
          codes.push((await thrown(() => api.createSession(init(kind, { ...given, password })))).code);
        }
        equal(codes, ["wrong_password", "password_required", "wrong_password", "password_required", "invalid_input"]);
      }
    }
  });

  suite.test("a password's function is asked once, and the opened key is wiped", async ({ api, containers, fixture, init }) => {
    const { containers: forms } = fixture.identities["P-256"];
    let asked = 0;
    const password = () => { asked += 1; return "secret"; };
    for (const given of [{ privateKey: forms.encrypted }, { certificate: base64(forms.pkcs12), privateKey: undefined }, { certificate: base64(forms.pkcs12), privateKey: forms.legacy }]) {
      asked = 0;
      await api.createSession(init("P-256", { ...given, password }));
      equal(asked, 1);
    }
    if (containers === undefined) return;
    // What this module returns is `Uint8Array`s: their `fill` is seen.
    const { fill } = Uint8Array.prototype;
    const wiped = [];
    Uint8Array.prototype.fill = function (...line) {
      if (this[0] === 0xa0 && line[0] === 0) wiped.push(this);
      return fill.apply(this, line);
    };
    try {
      await api.createSession(init("P-256", { privateKey: forms.encrypted, password: "secret" }));
    } finally {
      Uint8Array.prototype.fill = fill;
    }
    equal(wiped.map((bytes) => bytes.length > 100 && bytes.every((byte) => byte === 0)), [true]);
  });

  suite.test("an error of a container is the core's own", async ({ api, fixture, init }) => {
    const { containers } = fixture.identities["P-256"];
    const { logger, told } = warnings();
    const provider = api.fromRolesAnywhere(init("P-256", { privateKey: containers.encrypted, password: "wrong", logger }));
    // The plan of renewals takes it too, and the next call waits for its turn.
    for (const _ of [1, 2]) {
      const error = await thrown(() => provider());
      ok(api.isRolesAnywhereError(error, "wrong_password"), String(error));
      equal(error.message, "`ENCRYPTED PRIVATE KEY` on line 1: the password does not open the private key: give the one that it was encrypted with");
    }
    equal(told.filter((line) => /TypeError|assert/.test(line)), []);
  });
}

function warnings() {
  const told = [];
  return { told, logger: { warn: (line) => told.push(String(line)) } };
}
