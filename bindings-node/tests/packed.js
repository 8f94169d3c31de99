// The packages as users get them: packed, offered by a registry on loopback, installed by npm into empty
// projects, used from ESM, CommonJS and TypeScript; where the addon fits and where none does.
// `node tests/packed.js`

import { execFileSync } from "node:child_process";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { PACKAGE as WASM, lab } from "../../bindings-wasm/tests/lab.js";
import { PLATFORMS, platformHere, publishedManifest } from "../packages.js";
import { run } from "./context.js";

const FACE = fileURLToPath(new URL("..", import.meta.url));
const HERE = platformHere();
const folder = mkdtempSync(join(tmpdir(), "rolesanywhere-packed-"));
const place = await lab();
const tarballs = new Map(); // name → { manifest, file, content }

async function main() {
  await pack(WASM);
  await pack(join(FACE, "npm", HERE));
  await pack(asPublished());
  const elsewhere = Object.keys(PLATFORMS).find((name) => PLATFORMS[name].os !== process.platform);
  await pack(ofAnotherMachine(elsewhere));
  nothingOfThisMachine();

  const whole = await project("whole", [...tarballs.keys()]);
  assert.deepEqual(installed(whole), [HERE]); // not the other machine's, which the registry offers too
  await used(whole, "native");
  await typed(whole);

  const without = await project("without", ["rolesanywhere", "rolesanywhere-wasm"]);
  assert.deepEqual(installed(without), []);
  await used(without, "wasm");
  const { stderr } = await program(without, "debug.mjs", USE_TWICE, { NODE_DEBUG: "rolesanywhere" });
  assert.equal(stderr.match(/the WebAssembly module is used: .*is not installed/g)?.length, 1, stderr);
  await assert.rejects(program(without, "native.mjs", USE_TWICE, { ROLESANYWHERE_BACKEND: "native" }), /@rolesanywhere\/.* is not installed/);

  // An addon that does not fit: of another version, or for another machine.
  const addon = join(whole, "node_modules/@rolesanywhere", HERE);
  const manifest = join(whole, "node_modules/rolesanywhere/package.json");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace('"version": "', '"version": "9.'));
  await used(whole, "wasm");
  writeFileSync(manifest, text);
  const file = join(addon, `rolesanywhere.${HERE}.node`);
  rmSync(file);
  writeFileSync(file, "not for this machine");
  await used(whole, "wasm");
  console.log("the packed packages: passed");
}

// ---- packing

async function pack(source) {
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder, source]);
  const [{ filename, files }] = JSON.parse(stdout);
  const manifest = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  const content = readFileSync(join(folder, filename));
  tarballs.set(manifest.name, { manifest, file: filename, content, names: files.map(({ path }) => path) });
}

/** The package with what a checkout finds through links. */
function asPublished() {
  const copy = join(folder, "published");
  for (const name of ["js", "dist", "README.md", "LICENSE-APACHE", "LICENSE-MIT"]) cpSync(join(FACE, name), join(copy, name), { recursive: true });
  writeFileSync(join(copy, "package.json"), JSON.stringify(publishedManifest(), null, 2));
  return copy;
}

/** A package for a machine of another kind, with this one's addon in it. */
function ofAnotherMachine(platform) {
  const copy = join(folder, "other");
  cpSync(join(FACE, "npm", HERE), copy, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(copy, "package.json"), "utf8"));
  const { os, cpu } = PLATFORMS[platform];
  delete manifest.libc;
  writeFileSync(join(copy, "package.json"), JSON.stringify({ ...manifest, name: `@rolesanywhere/${platform}`, os: [os], cpu: [cpu] }));
  return copy;
}

function nothingOfThisMachine() {
  const { names } = tarballs.get("rolesanywhere");
  for (const needed of ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "js/index.js", "js/index.d.ts", "dist/index.cjs", "dist/index.d.cts"]) {
    assert.ok(names.includes(needed), `${needed} is not packed`);
  }
  assert.ok(!names.some((name) => /^(?:tests|src|npm|benches|examples)\/|\.(?:rs|node)$/.test(name)), `too much is packed: ${names}`);
  for (const name of names) {
    const content = readFileSync(join(folder, "published", name), "latin1");
    for (const path of [FACE, process.env.HOME].filter((path) => path?.length > 2)) assert.ok(!content.includes(path), `${name} names ${path}`);
  }
  const { names: addon } = tarballs.get(`@rolesanywhere/${HERE}`);
  assert.deepEqual(addon.sort(), ["LICENSE-APACHE", "LICENSE-MIT", "package.json", `rolesanywhere.${HERE}.node`]);
}

// ---- installing

/** A registry that has these packages of ours and passes on all else but other packages of our scope. */
async function registry(names) {
  const upstream = execFileSync("npm", ["config", "get", "registry"], { stdio: ["ignore", "pipe", "ignore"] }).toString().trim().replace(/\/$/, "");
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url.split("?")[0].slice(1));
    const origin = `http://127.0.0.1:${server.address().port}`;
    const found = names.map((name) => tarballs.get(name)).find(({ manifest, file }) => path === manifest.name || path === file);
    if (found === undefined) {
      if (/^(?:@rolesanywhere\/|rolesanywhere)/.test(path)) return response.writeHead(404).end("{}");
      return response.writeHead(302, { location: upstream + request.url }).end();
    }
    const { manifest, file, content } = found;
    if (path === file) return response.end(content);
    const integrity = `sha512-${createHash("sha512").update(content).digest("base64")}`;
    const { version } = manifest;
    response.setHeader("content-type", "application/json");
    const dist = { tarball: `${origin}/${file}`, integrity };
    return response.end(JSON.stringify({ name: manifest.name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } }));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.closeAllConnections() ?? server.close() };
}

async function project(name, names) {
  const cwd = join(folder, name);
  mkdirSync(cwd);
  writeFileSync(join(cwd, "package.json"), '{ "name": "empty", "private": true, "type": "module" }');
  const { origin, close } = await registry(names);
  const line = ["install", "rolesanywhere", "--no-audit", "--no-fund", "--prefer-offline", `--registry=${origin}`, `--cache=${join(folder, "cache", name)}`];
  await run("npm", line, { cwd });
  close();
  return cwd;
}

function installed(cwd) {
  const scope = join(cwd, "node_modules/@rolesanywhere");
  try {
    return readdirSync(scope).filter((name) => !name.startsWith("."));
  } catch {
    return [];
  }
}

// ---- using

const { arns, fixture, origin } = place;
function initOf() {
  const { certificate, containers } = fixture.identities["P-256"];
  return JSON.stringify({ ...arns, endpoint: origin, certificate, privateKey: containers.encrypted, password: "secret" });
}
const USE_TWICE = `import { backend, fromRolesAnywhere } from "rolesanywhere";
for (let round = 0; round < 2; round += 1) await fromRolesAnywhere(${initOf()})();
console.log((await backend()).kind);`;

async function program(cwd, name, text, more = {}) {
  writeFileSync(join(cwd, name), text);
  return run(process.execPath, [name], { cwd, env: { PATH: process.env.PATH, HOME: folder, ...more } });
}

async function used(cwd, kind) {
  const lines = [];
  const use = `
const heard = [];
const logger = { debug: (line) => heard.push(line), warn() {} };
const options = { ...${initOf()}, logger };
const error = (promise) => promise.then(() => undefined, (error) => error);
(async () => {
  const { accountId } = await fromRolesAnywhere(options)();
  await fromRolesAnywhere(options)();
  const refused = await error(createSession({ ...options, roleArn: "arn:aws:iam::123456789012:role/other" }));
  const noProfile = await error(fromRolesAnywhereProfile({ configFilepath: "/nowhere", filepath: "/nowhere" })());
  const { kind } = await backend();
  console.log(JSON.stringify([accountId, refused instanceof RolesAnywhereError, refused.code, noProfile.tryNextLink, kind, heard.filter((line) => line.includes("WebAssembly")).length]));
})();`;
  const names = "{ backend, createSession, fromRolesAnywhere, fromRolesAnywhereProfile, RolesAnywhereError }";
  for (const [name, text] of [
    ["use.mjs", `import ${names} from "rolesanywhere";${use}`],
    ["use.cjs", `const ${names} = require("rolesanywhere");${use}`],
  ]) {
    const { stdout } = await program(cwd, name, text);
    lines.push(JSON.parse(stdout));
    assert.deepEqual(lines.at(-1), [fixture.account, true, "access_denied", true, kind, kind === "wasm" ? 1 : 0], name);
  }
  // Both module systems in one process, and both packages: errors are told by the guard.
  const mixed = `import { createRequire } from "node:module";
import { isRolesAnywhereError } from "rolesanywhere";
const { createSession } = createRequire(import.meta.url)("rolesanywhere");
const error = await createSession({ ...${initOf()}, roleArn: "x" }).catch((error) => error);
console.log(isRolesAnywhereError(error, "invalid_input"));`;
  assert.equal((await program(cwd, "mixed.mjs", mixed)).stdout, "true");
}

/** As a module and as CommonJS, in strict mode, our declarations checked too; with what must not compile. */
async function typed(cwd) {
  for (const name of ["good", "bad"]) {
    const text = readFileSync(new URL(`types/${name}.ts`, import.meta.url), "utf8");
    for (const extension of ["mts", "cts"]) writeFileSync(join(cwd, `${name}.${extension}`), text);
  }
  // The SDK's own packages, which the project has not installed.
  for (const name of ["@aws-sdk", "@smithy/node-http-handler"]) {
    symlinkSync(join(FACE, "node_modules", name), join(cwd, "node_modules", name));
  }
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: "nodenext",
    target: "es2022",
    lib: ["es2022", "dom", "dom.iterable"],
    types: ["node"],
    typeRoots: [join(FACE, "node_modules/@types")],
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
  };
  const files = ["good.mts", "good.cts", "bad.mts", "bad.cts"];
  writeFileSync(join(cwd, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck: true }, files }));
  const tsc = join(dirname(FACE), "bindings-wasm/node_modules/.bin/tsc");
  await run(tsc, ["-p", "."], { cwd });
  const declarations = { compilerOptions: { ...compilerOptions, types: [], skipLibCheck: false }, files: ["node_modules/rolesanywhere/js/index.d.ts"] };
  writeFileSync(join(cwd, "tsconfig.json"), JSON.stringify(declarations));
  await run(tsc, ["-p", "."], { cwd });
}

try {
  await main();
} finally {
  await place.close();
  rmSync(folder, { recursive: true, force: true });
}
