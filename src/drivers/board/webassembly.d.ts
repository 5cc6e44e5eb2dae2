// The part of the WebAssembly interface that the emulated board uses. TypeScript describes it only together
// with everything else of a browser, which this program must not see.

// biome-ignore lint/style/noNamespace: the platform calls it so, and the emulator's own types use the name
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: 'WebAssembly.Module';
  }
  type Imports = Record<string, Record<string, unknown>>;
  type Exports = Record<string, unknown>;
  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(module: Module, imports: Imports): Promise<{ readonly exports: Exports }>;
}
