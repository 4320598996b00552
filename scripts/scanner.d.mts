export function compileScanner(options?: { readonly countSteps?: boolean }): Promise<Uint8Array>;
export function holdScanner(options?: { readonly check?: boolean }): Promise<void>;
