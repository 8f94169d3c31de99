// The packages that hold an addon, one per platform, into `npm/`: `node packages.js LIBRARY` makes this
// machine's around a library that cargo has built; `node packages.js --all FOLDER` those of a release, of
// the libraries `rolesanywhere.PLATFORM.node` in a folder.

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FACE = fileURLToPath(new URL(".", import.meta.url));

/** Every platform that an addon is meant for: what npm looks at, and what Rust builds. */
export const PLATFORMS = {
  "darwin-arm64": { os: "darwin", cpu: "arm64", target: "aarch64-apple-darwin" },
  "darwin-x64": { os: "darwin", cpu: "x64", target: "x86_64-apple-darwin" },
  "linux-arm64-gnu": { os: "linux", cpu: "arm64", libc: "glibc", target: "aarch64-unknown-linux-gnu" },
  "linux-arm64-musl": { os: "linux", cpu: "arm64", libc: "musl", target: "aarch64-unknown-linux-musl" },
  "linux-x64-gnu": { os: "linux", cpu: "x64", libc: "glibc", target: "x86_64-unknown-linux-gnu" },
  "linux-x64-musl": { os: "linux", cpu: "x64", libc: "musl", target: "x86_64-unknown-linux-musl" },
  "win32-arm64-msvc": { os: "win32", cpu: "arm64", target: "aarch64-pc-windows-msvc" },
  "win32-x64-msvc": { os: "win32", cpu: "x64", target: "x86_64-pc-windows-msvc" },
};

const own = () => JSON.parse(readFileSync(join(FACE, "package.json"), "utf8"));

/** The package of a platform. */
function platformManifest(platform) {
  const { os, cpu, libc, target } = PLATFORMS[platform];
  const { version, license, engines } = own();
  const file = `rolesanywhere.${platform}.node`;
  return {
    name: `@rolesanywhere/${platform}`,
    version,
    description: `The native addon of the package rolesanywhere for ${target}`,
    license,
    main: file,
    files: [file, "LICENSE-APACHE", "LICENSE-MIT"],
    engines,
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: [libc] }),
  };
}

/** The package itself, as it is published: with what a checkout finds through links. */
export function publishedManifest() {
  const { devDependencies: _, dependencies, ...manifest } = own();
  const { version } = manifest;
  return {
    ...manifest,
    dependencies: { ...dependencies, "rolesanywhere-wasm": version },
    optionalDependencies: Object.fromEntries(Object.keys(PLATFORMS).map((name) => [`@rolesanywhere/${name}`, version])),
  };
}

function write(platform, library) {
  const folder = join(FACE, "npm", platform);
  mkdirSync(folder, { recursive: true });
  const manifest = platformManifest(platform);
  // A new file, not the old one's content: a process may have it mapped.
  rmSync(join(folder, manifest.main), { force: true });
  copyFileSync(library, join(folder, manifest.main));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) copyFileSync(join(FACE, "..", name), join(folder, name));
}

/** This machine's platform, by what npm would call it. */
export function platformHere() {
  const { platform, arch, report } = process;
  const linux = () => (report.getReport().header.glibcVersionRuntime === undefined ? "-musl" : "-gnu");
  const suffix = platform === "linux" ? linux() : platform === "win32" ? "-msvc" : "";
  return `${platform}-${arch}${suffix}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , first, folder] = process.argv;
  if (first === "--all" && folder !== undefined) {
    const missing = Object.keys(PLATFORMS).filter((name) => !existsSync(join(folder, `rolesanywhere.${name}.node`)));
    if (missing.length > 0) throw new Error(`no addon for ${missing.join(", ")} in ${folder}: build them first`);
    for (const name of Object.keys(PLATFORMS)) write(name, join(folder, `rolesanywhere.${name}.node`));
  } else if (first !== undefined && first !== "--all") {
    write(platformHere(), first);
  } else {
    throw new Error("usage: node packages.js LIBRARY | --all FOLDER");
  }
}
