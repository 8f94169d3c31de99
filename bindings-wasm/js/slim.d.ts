/** The package without a way to load the module: the caller supplies it. */
export * from "./index.js";

/** A module, compiled or its bytes. */
export type WasmModule = WebAssembly.Module | ArrayBuffer | Uint8Array;

export interface InitializeOptions {
  /**
   * The module that opens encrypted keys, PKCS#12, PKCS#7 and BER, or a function that is called for it
   * when a file needs it: `rolesanywhere-wasm/containers.wasm`. Without it such a file is refused, with
   * the code `unsupported`. A function that fails is called again the next time.
   */
  containers?: WasmModule | (() => WasmModule | Promise<WasmModule>);
}

/**
 * Hands the module in, before anything else is used: `rolesanywhere-wasm/rolesanywhere.wasm`. Later calls
 * do nothing, except that one may hand in `containers` where none has.
 */
export declare function initialize(module: WasmModule, options?: InitializeOptions): void;
