import { dirname, basename } from 'node:path';
import { HoopError } from '../../core/errors.js';
import type { LocalAddress } from '../ports/local-listener.js';

/** An open port and what a program has to know to use it. */
export interface OpenPlace {
  readonly connection: string;
  readonly type: string;
  readonly address: LocalAddress;
  /** The connection's default database; empty where it has none. */
  readonly database: string;
  /** A user name to show; the agent ignores it. */
  readonly user: string;
  /** Where the port offers TLS: the certificate it shows, for clients that verify. */
  readonly certPath?: string;
  /** Where the port wants one: the API key that it takes. */
  readonly key?: string;
  /** Where the port wants one: the password that Postgres clients must show. */
  readonly password?: string;
}

export type Environment = Readonly<Record<string, string>>;

/** The variables of one connection. */
export function environmentOf(place: OpenPlace): Environment {
  const { address } = place;
  const own: Record<string, string> = { HOOP_SESSION_CONNECTION: place.connection };
  if ('socket' in address) own['HOOP_HOST'] = address.socket;
  else Object.assign(own, { HOOP_HOST: address.host, HOOP_PORT: String(address.port) });
  return { ...variablesOfType(place), ...own };
}

function variablesOfType(place: OpenPlace): Environment {
  switch (place.type) {
    case 'postgres':
      return postgresVariables(place);
    case 'openai':
      return modelVariables('OPENAI', '/v1', place);
    case 'anthropic':
      return modelVariables('ANTHROPIC', '', place);
    case 'http':
      return httpVariables(place);
    default:
      return {};
  }
}

/** A port of plain HTTP has a key only where it was asked for. */
function httpVariables({ address, key }: OpenPlace): Environment {
  const url: Environment = 'socket' in address ? {} : { HOOP_URL: baseUrl(address) };
  return key === undefined ? url : { ...url, HOOP_API_KEY: key };
}

/** A port as the start of a URL, without a slash at the end. */
function baseUrl({ host, port }: Exclude<LocalAddress, { socket: string }>): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

/** What the SDKs read. They can't be pointed at a socket file: who sends requests to one needs the key alone. */
function modelVariables(provider: 'OPENAI' | 'ANTHROPIC', path: string, { address, key = '' }: OpenPlace): Environment {
  if ('socket' in address) return { HOOP_API_KEY: key };
  return { [`${provider}_BASE_URL`]: `${baseUrl(address)}${path}`, [`${provider}_API_KEY`]: key };
}

/**
 * The variables of all connections: as they are for the first of each type and, when there are
 * several connections, each once more under `HOOP_NAME_`.
 *
 * @throws HoopError usage when two names become the same prefix (`a-b`, `a.b`)
 */
export function environmentOfAll(places: readonly OpenPlace[]): Environment {
  const merged: Record<string, string> = {};
  const prefixes = new Set<string>();
  for (const place of places.toReversed()) Object.assign(merged, environmentOf(place));
  if (places.length < 2) return merged;
  for (const place of places) {
    const prefix = `HOOP_${place.connection.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_`;
    if (prefixes.has(prefix))
      throw new HoopError('usage', `two connections would share the variables ${prefix}…`, {
        suggestion: 'open them in two commands',
      });
    prefixes.add(prefix);
    for (const [name, value] of Object.entries(environmentOf(place))) merged[`${prefix}${name}`] = value;
  }
  return merged;
}

/** Lines for `eval`: `export PGHOST='127.0.0.1'`. */
export function exportLines(environment: Environment): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join('');
}

/** The part of an e-mail address before the `@`, as far as it suits a database user name; else `hoop`. */
export function userNameFor(email: string): string {
  const local = email.slice(0, Math.max(0, email.indexOf('@')));
  return /^[A-Za-z0-9._+-]{1,63}$/.test(local) ? local : 'hoop';
}

function postgresVariables(place: OpenPlace): Environment {
  const reach = postgresReach(place.address);
  // A socket file by another name than libpq's own can't be named to it.
  if (reach === undefined) return {};
  const user = urlPart(place.user);
  const host = urlPart(reach.host).replaceAll('%3A', ':');
  const { password } = place;
  const login = password === undefined ? user : `${user}:${password}`;
  const authority = `${host.includes(':') ? `[${host}]` : host}:${reach.port}`;
  const { certPath } = place;
  // With the certificate named, `require` verifies it (libpq, and node's pg, which would refuse it otherwise).
  const tls = certPath === undefined ? 'sslmode=disable' : `sslmode=require&sslrootcert=${urlPart(certPath)}`;
  return {
    PGHOST: reach.host,
    PGPORT: reach.port,
    PGUSER: place.user,
    ...(password === undefined ? {} : { PGPASSWORD: password }),
    ...(place.database === '' ? {} : { PGDATABASE: place.database }),
    ...(certPath === undefined ? { PGSSLMODE: 'disable' } : { PGSSLMODE: 'require', PGSSLROOTCERT: certPath }),
    DATABASE_URL: `postgresql://${login}@${authority}/${urlPart(place.database)}?${tls}`,
  };
}

/** Quotes are encoded too: the address is shown between some, to be pasted into a shell. */
function urlPart(text: string): string {
  return encodeURIComponent(text).replaceAll("'", '%27');
}

/**
 * libpq finds a socket file by its folder and a port: FOLDER/.s.PGSQL.PORT.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-HOST
 */
function postgresReach(address: LocalAddress): { readonly host: string; readonly port: string } | undefined {
  if (!('socket' in address)) return { host: address.host, port: String(address.port) };
  const port = /^\.s\.PGSQL\.(\d{1,5})$/.exec(basename(address.socket))?.[1];
  return port === undefined ? undefined : { host: dirname(address.socket), port };
}
