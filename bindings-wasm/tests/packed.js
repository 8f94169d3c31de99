// The packed package, installed from the file alone into an empty project, used as users do: ESM,
// CommonJS, TypeScript, and bundled for browsers and workers. `node tests/packed.js`

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { equal, ok } from "./assert.js";
import { PACKAGE, lab } from "./lab.js";

const folder = mkdtempSync(join(tmpdir(), "rolesanywhere-packed-"));
// Not the synchronous form: the lab answers from this process.
const runIn = (program, line, more = {}) =>
  new Promise((done, fail) => {
    const child = spawn(program, line, { cwd: folder, stdio: ["ignore", "pipe", "inherit"], ...more });
    const parts = [];
    child.stdout.on("data", (part) => parts.push(part));
    child.on("error", fail);
    child.on("close", (code) => {
      const text = Buffer.concat(parts).toString();
      if (code === 0) done(text.trim());
      else fail(new Error(`${program} ${line.join(" ")} ended with ${code}: ${text}`));
    });
  });
const place = await lab();
try {
  const [{ filename, files }] = JSON.parse(await runIn("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder, PACKAGE]));
  const names = files.map(({ path }) => path);
  for (const needed of ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "dist/rolesanywhere_bg.wasm", "dist/webcrypto_bg.wasm", "dist/containers_bg.wasm", "dist/node.cjs", "js/index.d.ts"]) ok(names.includes(needed), `${needed} is not packed`);
  ok(!names.some((name) => /^(?:tests|src|bindgen|containers|examples|bench)|\.rs$/.test(name)), `too much is packed: ${names}`);
  writeFileSync(join(folder, "package.json"), '{ "name": "empty", "private": true, "type": "module" }');
  await runIn("npm", ["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", join(folder, filename)]);
  const installed = join(folder, "node_modules/rolesanywhere-wasm");
  equal(readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith(".")), ["rolesanywhere-wasm"], "it brings dependencies");
  // Nothing of the machine that it was built on.
  for (const name of names) {
    const content = readFileSync(join(installed, name), "latin1");
    for (const path of [PACKAGE, process.env.HOME].filter((path) => path?.length > 2)) ok(!content.includes(path), `${name} names ${path}`);
  }

  const { arns, identities } = place.fixture;
  const init = JSON.stringify({ ...arns, endpoint: place.origin, certificate: identities["P-256"].certificate, privateKey: identities["P-256"].privateKey });
  const use = `fromRolesAnywhere(${init})().then(({ accountId }) => console.log(accountId))`;
  const contained = JSON.stringify({ ...arns, endpoint: place.origin, certificate: identities["P-256"].certificate, privateKey: identities["P-256"].containers.encrypted, password: "secret" });
  const useContained = `fromRolesAnywhere(${contained})().then(({ accountId }) => console.log(accountId))`;
  const slim = `import { readFileSync } from "node:fs";\nimport { fileURLToPath } from "node:url";\nimport { initialize, fromRolesAnywhere, createSession } from "rolesanywhere-wasm/slim";\nconst file = (name) => readFileSync(fileURLToPath(import.meta.resolve("rolesanywhere-wasm/" + name)));\n`;
  const programs = {
    "use.mjs": `import { fromRolesAnywhere } from "rolesanywhere-wasm";\n${use}`,
    "use.cjs": `const { fromRolesAnywhere } = require("rolesanywhere-wasm");\n${use}`,
    "small.mjs": `import { fromRolesAnywhere } from "rolesanywhere-wasm/webcrypto";\n${use}`,
    "small.cjs": `const { fromRolesAnywhere } = require("rolesanywhere-wasm/webcrypto");\n${use}`,
    "contained.mjs": `import { fromRolesAnywhere } from "rolesanywhere-wasm";\n${useContained}`,
    "contained.cjs": `const { fromRolesAnywhere } = require("rolesanywhere-wasm");\n${useContained}`,
    "slim.mjs": `${slim}initialize(file("rolesanywhere.wasm"));\n${use}`,
    "slim-contained.mjs": `${slim}initialize(file("rolesanywhere.wasm"), { containers: file("containers.wasm") });\n${useContained}`,
  };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), text);
    equal(await runIn(process.execPath, [name]), place.fixture.account, name);
  }
  // Without the module for containers an error tells what is missing, and it may be handed in later. A
  // function is called for it when a file needs it, and again when it has failed.
  writeFileSync(join(folder, "slim-later.mjs"), `${slim}
initialize(file("rolesanywhere.wasm"));
const refused = await createSession(${contained}).catch((error) => error);
let calls = 0;
initialize(undefined, { containers: async () => {
  if ((calls += 1) === 1) throw new Error("away");
  return file("containers.wasm");
} });
await createSession(${init});
const untouched = calls;
const failed = await createSession(${contained}).catch((error) => error);
for (const _ of [1, 2]) await createSession(${contained});
console.log(JSON.stringify([refused.code, refused.message.includes("rolesanywhere-wasm/containers.wasm"), untouched, failed.code, failed.cause.message, failed.message.includes("away"), calls]));`);
  equal(JSON.parse(await runIn(process.execPath, ["slim-later.mjs"])), ["unsupported", true, 0, "transport_failed", "away", true, 2], "slim-later.mjs");
  // The other runtimes find their entries too.
  equal(await runIn(join(PACKAGE, "node_modules/@deno/linux-x64-glibc/deno"), ["run", "--quiet", "--no-remote", "--allow-read", "--allow-net=127.0.0.1", "--allow-env", "use.mjs"], { env: { PATH: process.env.PATH, HOME: folder, DENO_DIR: join(folder, ".deno"), DENO_NO_UPDATE_CHECK: "1" } }), place.fixture.account, "deno");
  equal(await runIn(join(PACKAGE, "node_modules/@oven/bun-linux-x64/bin/bun"), ["run", "--no-install", "use.mjs"], { env: { PATH: process.env.PATH, HOME: folder, DO_NOT_TRACK: "1" } }), place.fixture.account, "bun");
  // Errors of the two builds and of both module systems are told by the guard.
  writeFileSync(join(folder, "errors.mjs"), `import { createRequire } from "node:module";\nimport { isRolesAnywhereError } from "rolesanywhere-wasm";\nconst other = createRequire(import.meta.url)("rolesanywhere-wasm/webcrypto");\nconst error = await other.fromRolesAnywhere({ ...${init}, roleArn: "x" })().catch((error) => error);\nconsole.log(isRolesAnywhereError(error, "invalid_input"), error instanceof other.RolesAnywhereError);`);
  equal(await runIn(process.execPath, ["errors.mjs"]), "true true");
  // TypeScript, as a module and as CommonJS, in strict mode, the package's declarations included.
  const typed = `import { fromRolesAnywhere, type Credentials } from "rolesanywhere-wasm";\nexport const credentials: Promise<Credentials> = fromRolesAnywhere(${init})();\n`;
  writeFileSync(join(folder, "typed.mts"), typed);
  writeFileSync(join(folder, "typed.cts"), typed);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { strict: true, noEmit: true, module: "nodenext", target: "es2022", lib: ["es2022", "dom", "dom.iterable"], types: [] }, files: ["typed.mts", "typed.cts"] }));
  await runIn(join(PACKAGE, "node_modules/.bin/tsc"), ["-p", "."]);
  // Bundlers take the entry that is meant.
  writeFileSync(join(folder, "bundle.js"), 'export { fromRolesAnywhere } from "rolesanywhere-wasm";');
  for (const [conditions, expected] of [["workerd,worker", /from "\.\/rolesanywhere_bg-[A-Z0-9]+\.wasm"|from "\.\/rolesanywhere_bg[^"]*"/], ["browser", /new URL\("[^"]*rolesanywhere_bg\.wasm", import\.meta\.url\)/]]) {
    await runIn(join(PACKAGE, "node_modules/.bin/esbuild"), ["bundle.js", "--bundle", "--format=esm", "--loader:.wasm=copy", `--conditions=${conditions}`, "--platform=neutral", "--outdir=out", "--log-level=warning"]);
    const bundle = readFileSync(join(folder, "out/bundle.js"), "utf8");
    ok(expected.test(bundle), `the bundle for ${conditions} does not take the module as it should`);
    ok(!bundle.includes("node:fs"), `the bundle for ${conditions} wants Node`);
  }
  console.log(`the packed package: passed (${names.length} files)`);
} finally {
  await place.close();
  rmSync(folder, { recursive: true, force: true });
}
