// Runs the suite in runtimes: `node tests/run.js [RUNTIME…]`; without names, in all of them.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { PACKAGE, lab } from "./lab.js";

const modules = (name) => join(PACKAGE, "node_modules", name);
const own = { DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1" };

// What a runtime's WebCrypto lacks; a test that is skipped and does not stand here is a failure, and
// one that stands here and is not skipped too.
const WITHOUT = {
  node: nodeHasMlDsa() ? [] : ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"],
  deno: [],
  bun: [],
  workerd: ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"],
  edge: ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"],
  chromium: [],
};

const RUNTIMES = {
  node: (origin, only) => output(process.execPath, [join(PACKAGE, "tests/runtimes/node.js"), origin, only]),
  deno: (origin, only) => output(executable("@deno/linux-x64-glibc", "deno"), ["run", "--quiet", "--no-remote", "--no-npm", "--no-config", "--allow-read", "--allow-net=127.0.0.1", join(PACKAGE, "tests/runtimes/node.js"), origin, only]),
  bun: (origin, only) => output(executable("@oven/bun-linux-x64", "bin/bun"), ["run", "--no-install", join(PACKAGE, "tests/runtimes/node.js"), origin, only]),
  workerd,
  edge,
  chromium,
};

function nodeHasMlDsa() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 7);
}

/** The program that an npm package carries for this machine. */
function executable(name, path) {
  const found = join(modules(name), path);
  if (!existsSync(found)) throw new Error(`${name} is not installed: run \`npm ci --ignore-scripts\``);
  return found;
}

function output(program, line) {
  return new Promise((done, fail) => {
    const folder = mkdtempSync(join(tmpdir(), "rolesanywhere-"));
    const child = spawn(program, line.filter((word) => word !== undefined), { env: { PATH: process.env.PATH, HOME: folder, DENO_DIR: folder, ...own }, stdio: ["ignore", "pipe", "inherit"] });
    const parts = [];
    child.stdout.on("data", (part) => parts.push(part));
    child.on("error", fail);
    child.on("close", (code) => {
      rmSync(folder, { recursive: true, force: true });
      const text = Buffer.concat(parts).toString();
      if (code !== 0) fail(new Error(`${program} ended with ${code}: ${text}`));
      else done(JSON.parse(text.trimEnd().split("\n").at(-1)));
    });
  });
}

/** One file of a runtime's entry; the modules stay beside it. */
function bundled(entry, folder, ...options) {
  const out = join(folder, "bundle.js");
  execFileSync(join(modules("esbuild"), "bin/esbuild"), [join(PACKAGE, entry), "--bundle", "--log-level=warning", `--outfile=${out}`, ...options]);
  return readFileSync(out, "utf8");
}

async function workerd(origin) {
  const folder = mkdtempSync(join(tmpdir(), "rolesanywhere-"));
  bundled("tests/runtimes/workerd.js", folder, "--format=esm", "--loader:.wasm=copy");
  const wasm = readdirSync(folder).filter((name) => name.endsWith(".wasm")).map((name) => `(name = "${name}", wasm = embed "${name}")`);
  writeFileSync(join(folder, "config.capnp"), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "bundle.js", esModule = embed "bundle.js"), ${wasm.join(", ")}],
      compatibilityDate = "2026-03-01")),
    (name = "internet", network = (allow = ["private", "public"], deny = [])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
`);
  const program = executable("@cloudflare/workerd-linux-64", "bin/workerd");
  const child = spawn(program, ["serve", join(folder, "config.capnp"), "--control-fd=3"], { stdio: ["ignore", "inherit", "inherit", "pipe"] });
  try {
    const port = await new Promise((done, fail) => {
      child.on("exit", (code) => fail(new Error(`workerd ended with ${code}`)));
      child.stdio[3].on("data", (data) => {
        for (const line of data.toString().split("\n").filter(Boolean)) {
          const event = JSON.parse(line);
          if (event.event === "listen") done(event.port);
        }
      });
    });
    const response = await fetch(`http://127.0.0.1:${port}/?${encodeURIComponent(origin)}`);
    return response.ok ? response.json() : Promise.reject(new Error(await response.text()));
  } finally {
    child.removeAllListeners("exit");
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function edge(origin) {
  const folder = mkdtempSync(join(tmpdir(), "rolesanywhere-"));
  const { EdgeRuntime } = await import("edge-runtime");
  const initialCode = bundled("tests/runtimes/edge.js", folder, "--format=iife");
  rmSync(folder, { recursive: true, force: true });
  const bytes = (name) => new Uint8Array(readFileSync(join(PACKAGE, "dist", name)));
  const runtime = new EdgeRuntime({
    initialCode,
    // A module made out here is of another realm, which it refuses.
    extend: (context) => Object.assign(context, { FULL_WASM: bytes("rolesanywhere_bg.wasm"), CONTAINERS_WASM: bytes("containers_bg.wasm"), WEBCRYPTO_WASM: bytes("webcrypto_bg.wasm") }),
  });
  const response = await runtime.dispatchFetch(`http://edge.test/?${encodeURIComponent(origin)}`);
  await response.waitUntil();
  return response.ok ? response.json() : Promise.reject(new Error(await response.text()));
}

async function chromium(origin) {
  const { chromium: browserType } = await import("playwright-core");
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path)) ?? process.env.CHROMIUM;
  if (executablePath === undefined) throw new Error("Chromium is not installed: apt-get install chromium, or name it in CHROMIUM");
  const browser = await browserType.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(`the page: ${error.stack}`));
    await page.goto(`${origin}/files/tests/runtimes/page.html`);
    await page.waitForFunction(() => document.title === "done", undefined, { timeout: 120_000 });
    return await page.evaluate(() => globalThis.report);
  } finally {
    await browser.close();
  }
}

let [, , ...chosen] = process.argv;
const only = chosen.find((word) => word.startsWith("--only="))?.slice("--only=".length);
chosen = chosen.filter((word) => !word.startsWith("--"));
const place = await lab();
let failed = false;
for (const name of chosen.length === 0 ? Object.keys(RUNTIMES) : chosen) {
  const started = Date.now();
  try {
    const report = await RUNTIMES[name](place.origin, only);
    const skipped = report.skipped.map((test) => test.name.split(": ").at(-1));
    for (const { name: test, stack, error } of report.failed) console.log(`  ${name}: ${test}\n    ${error}\n    ${stack.replaceAll("\n", "\n    ")}`);
    const expected = only === undefined && JSON.stringify(skipped) !== JSON.stringify(WITHOUT[name]);
    if (expected) console.log(`  ${name}: skipped ${JSON.stringify(skipped)}, expected ${JSON.stringify(WITHOUT[name])}`);
    failed ||= report.failed.length > 0 || expected || report.passed.length === 0;
    console.log(`${name}: ${report.passed.length} passed, ${report.failed.length} failed, ${skipped.length} skipped (its WebCrypto has no such keys), ${Date.now() - started} ms`);
  } catch (error) {
    failed = true;
    console.log(`${name}: ${error.stack}`);
  }
}
await place.close();
process.exit(failed ? 1 : 0);
