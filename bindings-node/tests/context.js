// What the tests have in common: the laboratory of `rolesanywhere-wasm`'s tests, identities in files, the
// other runtimes' way to run a program.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

import { lab } from "../../bindings-wasm/tests/lab.js";

/** The core that this run of the tests is about. */
export const BACKEND = process.env.ROLESANYWHERE_BACKEND ?? "native";

/** The emulator behind one origin, until the tests of the file have run; and a folder. */
export async function laboratory() {
  const place = await lab();
  const folder = mkdtempSync(join(tmpdir(), "rolesanywhere-node-"));
  after(async () => {
    await place.close();
    rmSync(folder, { recursive: true, force: true });
  });
  let offset = 0;
  const control = async (query = "") => (await fetch(`${place.origin}/control${query}`, { method: "POST" })).json();
  return {
    ...place,
    folder,
    /** A file of the folder, with this content, and old: a new file that is malformed is read again for ten seconds. */
    file(name, content) {
      const path = join(folder, name);
      writeFileSync(path, content);
      utimesSync(path, 0, 0);
      return path;
    },
    /** A new certificate and key, PEM. */
    identity(kind = "P-256") {
      const { certificate, privateKey, key } = place.authority.identity(kind);
      return { certificate, privateKey, key };
    },
    /** Options for the emulator, with an identity of the fixture's. */
    init(more = {}, kind = "P-256") {
      const { certificate, privateKey } = place.fixture.identities[kind];
      return { ...place.arns, endpoint: place.origin, certificate, privateKey, ...more };
    },
    clock: () => Date.now() + offset,
    async advance(seconds) {
      await control(`?advance=${seconds}`);
      offset += seconds * 1000;
    },
    async sessions() {
      return (await control()).sessions;
    },
  };
}

export const openssl = (line, input) => execFileSync("openssl", line, { input, stdio: ["pipe", "pipe", "pipe"] });

/** Runs a program to its end: what it wrote, or an error with it. */
export function run(program, line, options = {}) {
  return new Promise((done, fail) => {
    const child = spawn(program, line, { stdio: ["ignore", "pipe", "pipe"], ...options });
    const [out, err] = [[], []];
    child.stdout.on("data", (part) => out.push(part));
    child.stderr.on("data", (part) => err.push(part));
    child.on("error", fail);
    child.on("close", (code) => {
      const [stdout, stderr] = [out, err].map((parts) => Buffer.concat(parts).toString().trim());
      if (code === 0) done({ stdout, stderr });
      else fail(new Error(`${program} ${line.join(" ")} ended with ${code}: ${stdout}\n${stderr}`));
    });
  });
}
