/** Where a connection's upstream is, and where a caller finds it. */
export interface LocalPlace {
  /** The connection's `url`. */
  readonly upstream: string;
  /** What stands for it on the caller's side: empty on a local port, `/c/NAME` at the agent. */
  readonly base: string;
}

interface Address {
  readonly origin: string;
  readonly rest: string;
}

/** Scheme and authority in one spelling, and what follows; undefined for what is no http address. */
export function addressOf(url: string): Address | undefined {
  const parts = /^(https?):\/\/([^/?#\\@]+)([^\\]*)$/i.exec(url);
  if (parts === null) return undefined;
  const [, scheme = '', authority = '', rest = ''] = parts;
  const port = scheme.toLowerCase() === 'https' ? /:443$/ : /:80$/;
  return { origin: `${scheme}://${authority.replace(port, '')}`.toLowerCase(), rest };
}

/** What follows `path` in `rest`; undefined where it does not stand there as whole segments. */
export function belowPath(rest: string, path: string): string | undefined {
  if (!rest.startsWith(path)) return undefined;
  const below = rest.slice(path.length);
  return below === '' || '/?#'.includes(below.charAt(0)) ? below : undefined;
}
