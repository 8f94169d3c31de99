// Keys and passwords in wrong places: taken where they can be, and never repeated. No error and none of its causes
// has eight characters in a row of one.

import { equal, ok, thrown } from "../assert.js";

/** A key or certificate as people carry it; `pem` is PEM. */
export function forms(pem) {
  const der = pem.replace(/-----[^-]+-----|\s/g, "");
  return { pem, "base64 of PEM": btoa(pem), "base64 of DER": der, "wrapped base64": `${der.replace(/.{64}/g, "$&\n")}\n` };
}

/** Keys, damaged ones too, and passwords, the same at each run. */
export function secrets(pem) {
  const lines = pem.trim().split("\n");
  const der = lines.slice(1, -1).join("");
  const hex = Array.from(atob(der), (character) => character.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  let state = 20261127; // a seed, for a failure that can be seen again
  const chance = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  const printable = () => String.fromCharCode(33 + ((chance(1 << 16) >> 4) % 94));
  const passwords = Array.from({ length: 30 }, () => Array.from({ length: 8 + (chance(1 << 16) >> 4) % 32 }, printable).join(""));
  return [
    ...Object.values(forms(pem)),
    pem.replace("-", ""),
    pem.replaceAll("\n", " "),
    pem.replaceAll("\n", "\\n"),
    pem.slice(0, pem.length / 2),
    lines[1],
    der.slice(0, -8),
    hex,
    `${pem}\0`,
    "hunter2hunter2\ud800",
    "correct horse battery staple",
    ...passwords,
    ...passwords.slice(0, 5).map((password) => `/${password}`),
  ];
}

/** The part of a secret, eight characters, that stands in a text; the labels of PEM are none. */
export function givenAway(text, secret) {
  for (let at = 0; at + 8 <= secret.length; at += 1) {
    const part = secret.slice(at, at + 8);
    if (text.includes(part) && !/^[A-Z \n-]+$/.test(part)) return part;
  }
  return undefined;
}

/** All that an error tells: its causes, and every property of each. */
export function told(error) {
  const texts = [];
  for (let one = error, depth = 0; one !== undefined && one !== null && depth < 10; one = one.cause, depth += 1) {
    texts.push(String(one), String(one.stack), String(one.message));
    if (typeof one === "object") for (const name of Object.getOwnPropertyNames(one)) texts.push(String(one[name]));
  }
  return texts.join("\n");
}

export default function cases(suite) {
  suite.test("content as base64, text and bytes", async ({ api, slim, init, fixture }) => {
    const { certificate, privateKey } = fixture.identities["P-256"];
    const [certificates, keys] = [forms(certificate), forms(privateKey)];
    const bytes = (text) => new TextEncoder().encode(text);
    for (const form of Object.keys(keys)) {
      for (const as of [String, bytes]) {
        for (const build of [api, slim]) {
          const given = init("P-256", { certificate: as(certificates[form]), privateKey: as(keys[form]) });
          const { assumedRoleArn } = await build.createSession(given);
          ok(assumedRoleArn.includes(":assumed-role/app/"), form);
        }
      }
    }
  });

  suite.test("no error repeats a secret", async ({ api, slim, init, fixture }) => {
    const { privateKey, containers } = fixture.identities["P-256"];
    let refused = 0;
    for (const build of [api, slim]) {
      for (const secret of secrets(privateKey)) {
        const bytes = new TextEncoder().encode(secret);
        for (const more of [
          { privateKey: secret },
          { privateKey: bytes },
          { certificate: secret },
          { certificate: secret, privateKey: undefined },
          { certificateChain: secret },
          ...(build === api ? [{ privateKey: containers.encrypted, password: secret }] : []),
          ...(build === api ? [{ privateKey: containers.encrypted, password: () => bytes }] : []),
        ]) {
          let error;
          try {
            await build.createSession(init("P-256", more));
            continue; // a key where a key belongs, in a form that is taken
          } catch (one) {
            error = one;
          }
          refused += 1;
          equal(givenAway(told(error), secret), undefined, `${Object.keys(more)}: ${error.message}`);
        }
      }
    }
    ok(refused > 300, String(refused));
    // A short text is a key that is malformed, or a path where the package reads files, as in Node.
    for (const [build, codes] of [[slim, ["invalid_key"]], [api, ["invalid_key", "invalid_input"]]]) {
      const error = await thrown(() => build.createSession(init("P-256", { privateKey: "hunter2hunter2" })));
      ok(codes.includes(error.code), error.message);
      equal(givenAway(told(error), "hunter2hunter2"), undefined, error.message);
    }
  });
}
