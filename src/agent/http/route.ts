import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { HoopError } from '../../core/errors.js';
import { isId } from '../../core/ids.js';
import type { Identity } from '../../core/identity.js';

/** What a handler gives back; 200 where no status is named. */
export type Answer =
  | { readonly status?: number; readonly json: unknown }
  | { readonly status?: number; readonly text: string; readonly contentType: string }
  | { readonly status?: number; readonly stream: Readable; readonly contentType: string };

export interface Call {
  /** The path's `:id`, a valid id; empty where the path has none. */
  readonly id: string;
  /** Only parameters that the route lists, each given once. */
  readonly query: ReadonlyMap<string, string>;
  readonly request: IncomingMessage;
}

interface RouteFace {
  readonly method: 'GET' | 'POST';
  /** From the root; `:id` stands for one segment that is an id. */
  readonly path: string;
  readonly summary: string;
  /** Query parameters that the route takes; any other is refused. */
  readonly query: readonly string[];
  /** Fields of the JSON body, all text; absent: no body is read. */
  readonly body?: readonly string[];
}

/** Who may call is part of the route's type: a `user` handler can't be written without an identity. */
export type Route = RouteFace &
  (
    | { readonly auth: 'public'; readonly handler: (call: Call) => Answer | Promise<Answer> }
    | { readonly auth: 'user'; readonly handler: (call: Call, caller: Identity) => Answer | Promise<Answer> }
  );

type RouteMatch =
  | { readonly kind: 'found'; readonly route: Route; readonly id: string }
  | { readonly kind: 'wrong-method'; readonly allowed: readonly string[] }
  | { readonly kind: 'none' };

/** Finds the route of a path without query. HEAD is answered as GET; Node leaves the body out. */
export function matchRoute(routes: readonly Route[], method: string, path: string): RouteMatch {
  const asked = method === 'HEAD' ? 'GET' : method;
  const allowed: string[] = [];
  for (const route of routes) {
    const id = idIn(route.path, path);
    if (id === undefined) continue;
    if (route.method === asked) return { kind: 'found', route, id };
    allowed.push(...(route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]));
  }
  return allowed.length === 0 ? { kind: 'none' } : { kind: 'wrong-method', allowed };
}

/** The id in the place of `:id`, empty where the pattern has none, undefined where the path does not fit. */
function idIn(pattern: string, path: string): string | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  let id = '';
  for (const [index, part] of wanted.entries()) {
    const segment = given[index] ?? '';
    if (part === ':id' && isId(segment)) id = segment;
    else if (part !== segment) return undefined;
  }
  return id;
}

/** @throws HoopError `usage` for a parameter that the route does not take, or one given twice */
export function readQuery(route: Pick<Route, 'query'>, search: URLSearchParams): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of search) {
    if (!route.query.includes(name))
      throw new HoopError('usage', `unknown query parameter; this path takes ${listed(route.query)}`);
    if (query.has(name)) throw new HoopError('usage', `query parameter ${name} is given twice`);
    query.set(name, value);
  }
  return query;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
