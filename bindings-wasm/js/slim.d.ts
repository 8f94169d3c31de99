/** The package without a way to load the module: the caller supplies it. */
export * from "./index.js";

/**
 * Hands the module in, before anything else is used: compiled, or its bytes. It is
 * `rolesanywhere-wasm/rolesanywhere.wasm` with `rolesanywhere-wasm/slim`, and
 * `rolesanywhere-wasm/webcrypto.wasm` with `rolesanywhere-wasm/slim/webcrypto`. Later calls do nothing.
 */
export declare function initialize(module: WebAssembly.Module | ArrayBuffer | Uint8Array): void;
