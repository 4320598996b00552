export function compileScanner(options?: { readonly countSteps?: boolean }): Promise<Uint8Array>;
