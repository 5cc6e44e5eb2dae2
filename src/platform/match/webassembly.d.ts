// The part of the WebAssembly interface that the matcher uses. TypeScript describes it only together with
// everything else of a browser, which this program must not see.

// biome-ignore lint/style/noNamespace: the platform calls it so
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  const Memory: new (size: { initial: number; maximum: number }) => Memory;
  const Module: new (bytes: Uint8Array<ArrayBuffer>) => Module;
  const Instance: new (module: Module, imports: Imports) => { readonly exports: Exports };
}
