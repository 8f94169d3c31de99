/** The smaller package without a way to load the module: the caller supplies it. */
export * from "./index.js";

/**
 * Hands the module in, before anything else is used: `rolesanywhere-wasm/webcrypto.wasm`, compiled or its
 * bytes. Later calls do nothing.
 */
export declare function initialize(module: WebAssembly.Module | ArrayBuffer | Uint8Array): void;
