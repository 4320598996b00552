import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  environmentOf,
  environmentOfAll,
  exportLines,
  type OpenPlace,
  userNameFor,
} from '../../../src/client/child/environment.js';

const shop: OpenPlace = {
  connection: 'postgres',
  type: 'postgres',
  address: { host: '127.0.0.1', port: 15_432 },
  database: 'shop',
  user: 'ana',
};

describe('environmentOf', () => {
  it('gives a Postgres port the variables of the contract', () => {
    expect(environmentOf(shop)).toEqual({
      PGHOST: '127.0.0.1',
      PGPORT: '15432',
      PGUSER: 'ana',
      PGDATABASE: 'shop',
      PGSSLMODE: 'disable',
      DATABASE_URL: 'postgresql://ana@127.0.0.1:15432/shop?sslmode=disable',
      HOOP_HOST: '127.0.0.1',
      HOOP_PORT: '15432',
      HOOP_SESSION_CONNECTION: 'postgres',
    });
  });

  it('gives a port that offers TLS sslmode=require and the certificate to verify', () => {
    const environment = environmentOf({ ...shop, certPath: '/home/a na/local-tls.crt' });
    expect(environment).toMatchObject({ PGSSLMODE: 'require', PGSSLROOTCERT: '/home/a na/local-tls.crt' });
    expect(environment['DATABASE_URL']).toBe(
      'postgresql://ana@127.0.0.1:15432/shop?sslmode=require&sslrootcert=%2Fhome%2Fa%20na%2Flocal-tls.crt',
    );
  });

  it('escapes a database name and brackets an IPv6 address in DATABASE_URL', () => {
    const environment = environmentOf({ ...shop, address: { host: '::1', port: 1 }, database: 'my shop/ä' });
    expect(environment['DATABASE_URL']).toBe('postgresql://ana@[::1]:1/my%20shop%2F%C3%A4?sslmode=disable');
  });

  it('names a socket file to libpq by folder and port', () => {
    const environment = environmentOf({ ...shop, address: { socket: '/tmp/h/.s.PGSQL.5432' } });
    expect(environment).toMatchObject({ PGHOST: '/tmp/h', PGPORT: '5432', HOOP_HOST: '/tmp/h/.s.PGSQL.5432' });
    expect(environment['DATABASE_URL']).toBe('postgresql://ana@%2Ftmp%2Fh:5432/shop?sslmode=disable');
  });

  it('gives no libpq variables for a socket file that libpq could not find', () => {
    expect(environmentOf({ ...shop, address: { socket: '/tmp/any' } })).toEqual({
      HOOP_HOST: '/tmp/any',
      HOOP_SESSION_CONNECTION: 'postgres',
    });
  });
});

describe('environmentOf of the HTTP types', () => {
  const at = { host: '127.0.0.1', port: 15_440 };
  const place = (type: string): OpenPlace => ({ connection: type, type, address: at, database: '', user: 'ana' });

  it('gives an openai port a base URL that ends in /v1 and the port’s own key', () => {
    expect(environmentOf({ ...place('openai'), key: 'sk-hoop-x' })).toEqual({
      OPENAI_BASE_URL: 'http://127.0.0.1:15440/v1',
      OPENAI_API_KEY: 'sk-hoop-x',
      HOOP_HOST: '127.0.0.1',
      HOOP_PORT: '15440',
      HOOP_SESSION_CONNECTION: 'openai',
    });
  });

  it('gives an anthropic port a base URL without a path, since its SDK adds /v1', () => {
    expect(environmentOf({ ...place('anthropic'), address: { host: '::1', port: 1 }, key: 'k' })).toMatchObject({
      ANTHROPIC_BASE_URL: 'http://[::1]:1',
      ANTHROPIC_API_KEY: 'k',
    });
  });

  it('gives an http port HOOP_URL and no key', () => {
    const environment = environmentOf(place('http'));
    expect(environment['HOOP_URL']).toBe('http://127.0.0.1:15440');
    expect(Object.keys(environment).filter((name) => name.includes('KEY'))).toEqual([]);
  });

  it('names no base URL for a socket file, and gives the key under a name that no SDK sends elsewhere', () => {
    expect(environmentOf({ ...place('openai'), address: { socket: '/tmp/s' }, key: 'k' })).toEqual({
      HOOP_API_KEY: 'k',
      HOOP_HOST: '/tmp/s',
      HOOP_SESSION_CONNECTION: 'openai',
    });
  });
});

describe('environmentOfAll', () => {
  const second: OpenPlace = { ...shop, connection: 'pay-db', address: { host: '127.0.0.1', port: 15_433 } };

  it('keeps the plain variables for the first of a type and adds each under HOOP_NAME_', () => {
    const environment = environmentOfAll([shop, second]);
    expect(environment).toMatchObject({
      PGPORT: '15432',
      HOOP_SESSION_CONNECTION: 'postgres',
      HOOP_POSTGRES_PGPORT: '15432',
      HOOP_PAY_DB_PGPORT: '15433',
    });
  });

  it('adds no prefixed variables for a single connection', () => {
    expect(environmentOfAll([second])).toEqual(environmentOf(second));
  });

  it('refuses two names that become one prefix', () => {
    expect(() => environmentOfAll([second, { ...shop, connection: 'pay.db' }])).toThrow(
      'share the variables HOOP_PAY_DB_',
    );
  });
});

describe('exportLines', () => {
  it('survives a shell: quotes, dollars, newlines and spaces come back as they were', () => {
    const value = `it's $HOME \`id\` "x"\n\\ end`;
    const out = execFileSync('/bin/sh', ['-c', `${exportLines({ PGDATABASE: value })}printf %s "$PGDATABASE"`], {
      encoding: 'utf8',
    });
    expect(out).toBe(value);
  });
});

describe('userNameFor', () => {
  it.each([
    ['ana@example.com', 'ana'],
    ['', 'hoop'],
    ['no-at-sign', 'hoop'],
    ['"odd name"@example.com', 'hoop'],
    ["x'; drop@example.com", 'hoop'],
  ])('makes of %j the user name %j', (email, name) => {
    expect(userNameFor(email)).toBe(name);
  });
});
