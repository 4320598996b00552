/** Text as roff shows it unchanged. */
export function roff(text: string): string;
/** Writes a page for each command of the manifest, and hoop.1, into dist/man. */
export function writeManPages(manifest: { readonly commands: Readonly<Record<string, object>> }): void;
