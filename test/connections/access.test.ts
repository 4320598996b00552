import { describe, expect, it } from 'vitest';
import { connectionFor, pickCredential, usableConnections } from '../../src/connections/access.js';
import { HoopError } from '../../src/core/errors.js';
import type { PostgresConnection } from '../../src/core/resources.js';

function connection(more: Partial<PostgresConnection> = {}): PostgresConnection {
  return {
    name: 'postgres',
    labels: { env: 'prod' },
    type: 'postgres',
    host: '127.0.0.1',
    port: 5432,
    database: 'shop',
    databases: [],
    tls: { mode: 'verify-full' },
    credentials: [
      { groups: ['dba'], username: 'hoop_admin' },
      { groups: ['*'], username: 'hoop_app' },
    ],
    access: { groups: ['engineering', 'dba'] },
    catalogTtlMs: 1000,
    ...more,
  };
}

const engineer = { groups: ['engineering'] };
const dba = { groups: ['engineering', 'dba'] };

function refusal(run: () => unknown): HoopError {
  try {
    run();
  } catch (error) {
    if (error instanceof HoopError) return error;
  }
  throw new Error('was not refused');
}

describe('a connection', () => {
  it('is used with the first credential whose groups the caller meets', () => {
    expect(connectionFor([connection()], 'postgres', engineer).credential).toMatchObject({ username: 'hoop_app' });
    expect(connectionFor([connection()], 'postgres', dba).credential).toMatchObject({ username: 'hoop_admin' });
    expect(pickCredential(connection({ credentials: [] }), dba)).toBeUndefined();
  });

  it('answers no_access in the same words when it is not there and when it is not the caller’s', () => {
    const denied = refusal(() => connectionFor([connection()], 'postgres', { groups: ['sales'] }));
    const unknown = refusal(() => connectionFor([connection()], 'nothing', engineer));
    const withoutCredential = refusal(() =>
      connectionFor([connection({ credentials: [{ groups: ['dba'], username: 'x' }] })], 'postgres', engineer),
    );
    expect([denied.code, denied.message, denied.suggestion]).toEqual([
      unknown.code,
      unknown.message,
      unknown.suggestion,
    ]);
    expect(denied.message).toBe(withoutCredential.message);
    expect(denied.exitStatus).toBe(4);
  });

  it('that needs approval is listed so and refused', () => {
    const guarded = connection({ access: { groups: ['engineering'], approval: 'db-access' } });
    expect(usableConnections([guarded], engineer)).toMatchObject([{ access: 'needs approval' }]);
    const needed = refusal(() => connectionFor([guarded], 'postgres', engineer));
    expect(needed).toMatchObject({ code: 'access_needed', exitStatus: 4 });
    expect(needed.suggestion).toContain('hoop request postgres --duration 1h --reason');
    expect(refusal(() => connectionFor([guarded], 'postgres', { groups: [] }))).toMatchObject({ code: 'no_access' });
  });
});

it('that needs approval is used by the one whom access was granted, with that credential', () => {
  const guarded = connection({ access: { groups: ['engineering'], approval: 'db-access' } });
  const until = '2026-11-28T02:00:00.000Z';
  const granted = (_: unknown, credential: string): string | undefined =>
    credential === 'hoop_app' ? until : undefined;
  expect(connectionFor([guarded], 'postgres', engineer, granted).connection).toBe(guarded);
  expect(usableConnections([guarded], engineer, granted)).toMatchObject([{ access: 'granted until', until }]);
  expect(refusal(() => connectionFor([guarded], 'postgres', dba, granted)).code).toBe('access_needed');
});

it('lists by name what the caller may use, and nothing of how it is reached', () => {
  const all = [
    connection({ name: 'b' }),
    connection({ name: 'a' }),
    connection({ name: 'c', access: { groups: ['sales'] } }),
  ];
  expect(usableConnections(all, engineer)).toEqual([
    { name: 'a', type: 'postgres', access: 'open', database: 'shop', labels: { env: 'prod' } },
    { name: 'b', type: 'postgres', access: 'open', database: 'shop', labels: { env: 'prod' } },
  ]);
});
