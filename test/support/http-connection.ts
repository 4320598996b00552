/**
 * Document, `---` before it: connection `name` to an HTTP server, for the group engineering.
 *
 * @param spec its further members, or others in place of these
 */
export function httpConnection(name: string, url: string, spec: Readonly<Record<string, unknown>> = {}): string {
  const all = { type: 'http', url, access: { groups: ['engineering'] }, ...spec };
  // JSON is YAML.
  return `---\n${JSON.stringify({ apiVersion: 'hoop/v1', kind: 'Connection', metadata: { name }, spec: all })}\n`;
}

/** What the agent shows an HTTP server in place of the caller's token: a variable, as it is or behind a word. */
export function headerOf(name: string, env: string, prefix?: string): { readonly credentials: readonly unknown[] } {
  return { credentials: [{ headers: { [name]: prefix === undefined ? { env } : { env, prefix } } }] };
}
