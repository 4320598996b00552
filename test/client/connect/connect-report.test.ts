import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { plainReport } from '../../../src/client/connect/connect-report.js';
import type { ConnectionEvent } from '../../../src/client/tunnels/tunnel-keeper.js';

function linesFor(...events: ConnectionEvent[]): string[] {
  const lines: string[] = [];
  const report = plainReport((line) => lines.push(line));
  for (const event of events) report.event(event);
  return lines;
}

const connection = 'postgres';

describe('plainReport', () => {
  it('says what to type for an approval, and who decided it and why', () => {
    expect(
      linesFor(
        { event: 'approval.waiting', connection, request: 'r1', expiresAt: '2026-11-21T00:00:00Z' },
        { event: 'approval.resolved', connection, request: 'r1', outcome: 'denied', by: 'ben', reason: 'not today' },
        { event: 'approval.resolved', connection, request: 'r2', outcome: 'expired', by: '', reason: '' },
      ),
    ).toEqual([
      'postgres: waits for approval until 2026-11-21T00:00:00Z: hoop approve r1',
      'postgres: request r1 denied by ben: not today',
      'postgres: request r2 expired',
    ]);
  });

  it('tells of sessions of databases, and not of each request of a program that talks HTTP', () => {
    const lines: string[] = [];
    const report = plainReport((line) => lines.push(line));
    const place = { user: 'u', database: '', address: { socket: '/tmp/x' } };
    const places = [
      { ...place, connection: 'postgres', type: 'postgres' },
      { ...place, connection: 'api', type: 'http' },
    ];
    report.listening(places, () => new Map());
    lines.length = 0;
    for (const { connection: of } of places) report.event({ event: 'session.opened', connection: of, session: 's' });
    expect(lines).toEqual(['postgres: session s opened']);
  });

  it('tells an outage once, however many attempts it takes', () => {
    const attempt = (count: number): ConnectionEvent => ({
      event: 'reconnecting',
      connection,
      attempt: count,
      why: 'x',
    });
    expect(linesFor(attempt(1), attempt(2), attempt(3), { event: 'reconnected', connection })).toEqual([
      'postgres: x; the port stays open, reconnecting',
      'postgres: reconnected',
    ]);
  });

  it('shows what would act on a terminal, and keeps one event on one line', () => {
    expect(linesFor({ event: 'blocked', connection, rule: 'p/r', message: 'no\u001b[2J\nforged: line' })).toEqual([
      'postgres: blocked by policy p/r: no\\x1b[2J\\nforged: line',
    ]);
  });

  it('names an IPv6 port in brackets, and offers no psql line for a socket file that libpq can’t find', () => {
    const lines: string[] = [];
    const place = { connection, type: 'postgres', database: 'd', user: 'u' };
    plainReport((line) => lines.push(line)).listening(
      [
        { ...place, address: { host: '::1', port: 5 } },
        { ...place, address: { socket: '/tmp/x' } },
      ],
      () => new Map(),
    );
    expect(lines).toEqual([
      'postgres → [::1]:5 (Ctrl-C ends)',
      "  psql 'postgresql://u@[::1]:5/d?sslmode=disable'",
      'postgres → /tmp/x (Ctrl-C ends)',
      '  psql finds a socket file only under the name FOLDER/.s.PGSQL.PORT',
    ]);
  });

  it('shows a line to paste that is one program and one word to a shell, whatever the agent calls the database', () => {
    const lines: string[] = [];
    const database = `d'*'\n'$(id)'!!`;
    const address = { host: '127.0.0.1', port: 5 };
    plainReport((line) => lines.push(line)).listening(
      [{ connection, type: 'postgres', database, user: 'u', address }],
      () => new Map(),
    );
    const shown = execFileSync('sh', ['-c', `psql() { printf '%s|' "$#" "$1"; }\n${lines[1] ?? ''}`]).toString();
    const [count, url] = shown.split('|');
    expect(count).toBe('1');
    expect(decodeURIComponent(new URL(url ?? '').pathname.slice(1))).toBe(database);
  });

  it('shows what an SDK is given for its port, and the key alone for a socket file', () => {
    const lines: string[] = [];
    const place = { database: '', user: 'u', key: 'sk-hoop-x', address: { host: '127.0.0.1', port: 5 } };
    plainReport((line) => lines.push(line)).listening(
      [
        { ...place, connection: 'openai', type: 'openai' },
        { ...place, connection: 'claude', type: 'anthropic', address: { socket: '/tmp/x' } },
        { connection: 'crm', type: 'http', database: '', user: 'u', address: { host: '::1', port: 6 } },
      ],
      () => new Map(),
    );
    expect(lines).toEqual([
      'openai → 127.0.0.1:5 (Ctrl-C ends)',
      '  OPENAI_BASE_URL=http://127.0.0.1:5/v1 OPENAI_API_KEY=sk-hoop-x',
      'claude → /tmp/x (Ctrl-C ends)',
      '  needs the key sk-hoop-x, valid for this socket file alone',
      'crm → [::1]:6 (Ctrl-C ends)',
      '  curl http://[::1]:6/',
    ]);
  });

  it('says once that the login has ended, whatever the number of connections, and again after it was mended', () => {
    const lines: string[] = [];
    const report = plainReport((line) => lines.push(line));
    const ended = { event: 'disconnected', why: 'not logged in', suggestion: 'run `hoop login`' };
    report.event({ ...ended, connection: 'a' });
    report.event({ ...ended, connection: 'b' });
    expect(lines).toEqual(['a: not connected: not logged in; run `hoop login`']);
    report.event({ event: 'reconnected', connection: 'b' });
    report.event({ ...ended, connection: 'b' });
    expect(lines).toHaveLength(3);
  });
});
