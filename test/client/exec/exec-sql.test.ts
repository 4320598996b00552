import { connect } from 'node:net';
import { PassThrough, Readable, Writable } from 'node:stream';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ExecOptions, formatFrom } from '../../../src/client/exec/exec-run.js';
import { execText } from '../../../src/client/exec/exec-text.js';
import { bridge } from '../../../src/tunnel/bridge.js';
import { TunnelEndpoint } from '../tunnel-pair.js';

let database: PGlite;
let server: PGLiteSocketServer;
let port: number;
let endpoint: TunnelEndpoint;

beforeAll(async () => {
  database = await PGlite.create();
  await database.exec(`
    CREATE TABLE customers (id int PRIMARY KEY, name text, active bool);
    INSERT INTO customers VALUES (1, 'Ana', true), (2, NULL, false);`);
  server = new PGLiteSocketServer({ db: database, host: '127.0.0.1', port: 0, maxConnections: 8 });
  const listening = new Promise<number>((resolve) => {
    server.addEventListener('listening', (event) => {
      resolve((event as CustomEvent<{ port: number }>).detail.port);
    });
  });
  await server.start();
  port = await listening;
});

afterAll(async () => {
  await server.stop();
  await database.close();
});

beforeEach(async () => {
  endpoint = await TunnelEndpoint.open();
  endpoint.carryTo(port);
});

afterEach(async () => {
  await endpoint.close();
});

interface Ran {
  readonly stdout: string;
  readonly lines: readonly string[];
  readonly error: unknown;
}

async function run(text: string, options: Partial<ExecOptions> = {}): Promise<Ran> {
  let stdout = '';
  const lines: string[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      stdout += chunk.toString();
      done();
    },
  });
  const error: unknown = await execText({
    access: accessOf(endpoint),
    connection: 'postgres',
    source: { text, stdin: Readable.from([]) },
    format: 'table',
    singleTransaction: false,
    stdout: sink,
    say: (line) => lines.push(line),
    ...options,
  }).catch((thrown: unknown) => thrown);
  return { stdout, lines, error };
}

function accessOf(target: TunnelEndpoint): ExecOptions['access'] {
  const answers: Record<string, unknown> = {
    '/v1/connections': [
      { name: 'postgres', type: 'postgres', database: 'postgres' },
      { name: 'web', type: 'later', database: '' },
    ],
    '/v1/whoami': { email: 'postgres@example.com' },
  };
  return {
    api: { url: target.url, get: <T>(path: string) => Promise.resolve(answers[path] as T) },
    token: () => Promise.resolve('token'),
  };
}

const blocked = `DO $$ BEGIN RAISE EXCEPTION 'blocked by policy prod/where-required: no' USING ERRCODE = '42501'; END $$`;

describe('execSql', () => {
  it.each([
    ['csv', `SELECT E'\\x1b]0;own\\x07' AS a`, 'a\n\\x1b]0;own\\x07\n'],
    ['csv', `COPY (SELECT E'\\x1b[2Ja\\tb') TO STDOUT`, '\\x1b[2Ja\\tb\n'],
    ['table', `COPY (SELECT E'\\x1b[2J', 2) TO STDOUT`, '\\x1b[2J\t2\n'],
  ] as const)('as %s lets nothing of the data act on a terminal: %s', async (format, text, expected) => {
    let stdout = '';
    const terminal = Object.assign(
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          stdout += chunk.toString();
          done();
        },
      }),
      { isTTY: true },
    );
    await run(text, { format, stdout: terminal });
    expect(stdout).toBe(expected);
    expect((await run(text, { format })).stdout).toContain('\x1b');
  });

  it('prints rows on stdout and command tags as lines for people', async () => {
    const { stdout, lines, error } = await run(
      `UPDATE customers SET name = name; SELECT id, name FROM customers ORDER BY id;`,
    );
    expect(error).toBeUndefined();
    expect(stdout).toBe([' id | name ', '----+------', '  1 | Ana', '  2 | ', '(2 rows)', '', ''].join('\n'));
    expect(lines).toEqual(['UPDATE 2']);
  });

  it.each([
    ['json', '[{"id":1,"name":"Ana","active":true},{"id":2,"name":null,"active":false}]\n'],
    ['ndjson', '{"id":1,"name":"Ana","active":true}\n{"id":2,"name":null,"active":false}\n'],
    ['csv', 'id,name,active\n1,Ana,t\n2,,f\n'],
  ] as const)('prints %s', async (format, expected) => {
    expect((await run('TABLE customers ORDER BY id', { format })).stdout).toBe(expected);
  });

  it('sends each statement as a message of its own', async () => {
    const received: string[] = [];
    endpoint.onStream((stream) => {
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
      bridge(socket, {
        ...listenersOf(stream),
        onData: (listener) => {
          stream.onData((bytes) => {
            received.push(Buffer.from(bytes).toString('latin1'));
            listener(bytes);
          });
        },
      });
    });
    await run(`SELECT 1; -- a comment; with a semicolon\n SELECT ';' AS x;`);
    const queries = received.join('').match(/Q[\0-\u00ff]{4}([^\0]*)\0/g) ?? [];
    expect(queries.map((query) => query.slice(5, -1).replace(/^--.*\n\s*/, ''))).toEqual([
      'SELECT 1',
      `SELECT ';' AS x`,
    ]);
  });

  it('stops at the first error and names SQLSTATE, line and column in the script', async () => {
    const { stdout, error } = await run(`SELECT 1 AS ä;\nSELECT 'ö',\n  missing FROM customers; SELECT 2 AS never`, {
      format: 'csv',
    });
    expect(stdout).toBe('ä\n1\n');
    expect(error).toMatchObject({
      code: 'sql',
      message: 'column "missing" does not exist',
      why: 'SQLSTATE 42703, line 3, column 3',
      exitStatus: 1,
    });
  });

  it('leaves text that the grammar refuses to the server, with its place', async () => {
    expect((await run('SELECT 1;\nSELEKT 2')).error).toMatchObject({
      code: 'sql',
      why: 'SQLSTATE 42601, line 2, column 1',
    });
  });

  it.each([
    [blocked, 'blocked', 5],
    [blocked.replace('blocked by policy prod/where-required', 'approval denied by ben'), 'approval_denied', 6],
    [blocked.replace('blocked by policy prod/where-required', 'approval not given in time'), 'approval_timeout', 7],
    [blocked.replace('blocked by policy prod/where-required', 'permission denied for table x'), 'sql', 1],
  ])('tells %j from the others: %s, exit %i', async (sql, code, exitStatus) => {
    expect((await run(sql)).error).toMatchObject({ code, exitStatus });
  });

  it('undoes everything after an error with --single-transaction', async () => {
    const { error } = await run(`INSERT INTO customers VALUES (3, 'x', true); SELECT 1/0`, { singleTransaction: true });
    expect(error).toMatchObject({ code: 'sql', why: expect.stringContaining('22012') as string });
    expect((await run('SELECT count(*)::int AS n FROM customers', { format: 'json' })).stdout).toBe('[{"n":2}]\n');
  });

  it('commits with --single-transaction when all went well', async () => {
    expect(
      (await run(`INSERT INTO customers VALUES (4, 'x', true)`, { singleTransaction: true })).error,
    ).toBeUndefined();
    expect((await run('DELETE FROM customers WHERE id = 4')).lines).toEqual(['DELETE 1']);
  });

  it('closes the JSON array when an error comes after the first rows', async () => {
    const { stdout, error } = await run('SELECT 10 / (3 - n) AS v FROM generate_series(1, 5) AS n', { format: 'json' });
    expect(error).toMatchObject({ code: 'sql' });
    expect(() => {
      JSON.parse(stdout === '' ? '[]' : stdout);
    }).not.toThrow();
  });

  it('shows the server’s notices, with controls escaped', async () => {
    const { lines } = await run(`DO $$ BEGIN RAISE NOTICE E'watch \\x1b[2Jout'; END $$`);
    expect(lines[0]).toBe('NOTICE:  watch \\x1b[2Jout');
  });

  it('sets in what follows the first line of a notice, so that none passes for a message of ours', async () => {
    const { lines } = await run(`DO $$ BEGIN RAISE NOTICE E'first\\nerror: forged'; END $$`);
    expect(lines.slice(0, 2)).toEqual(['NOTICE:  first', '         error: forged']);
  });

  it('prints COPY TO STDOUT as it comes, and refuses it for JSON', async () => {
    const copy = 'COPY (SELECT id FROM customers ORDER BY id) TO STDOUT';
    expect((await run(copy, { format: 'csv' })).stdout).toBe('1\n2\n');
    expect((await run(copy, { format: 'json' })).error).toMatchObject({ code: 'usage' });
  });

  it('streams 200,000 rows to a reader that waits, without keeping them', async () => {
    let received = 0;
    let largest = 0;
    const slow: PassThrough = new PassThrough({ highWaterMark: 64 * 1024 });
    slow.on('data', (part: Buffer) => {
      received += part.length;
      largest = Math.max(largest, slow.writableLength);
      slow.pause();
      setImmediate(() => slow.resume());
    });
    const { error } = await run(`SELECT n, repeat('x', 50) AS pad FROM generate_series(1, 200000) AS n`, {
      format: 'csv',
      stdout: slow,
    });
    expect(error).toBeUndefined();
    expect(received).toBe(
      6 + Array.from({ length: 200_000 }, (_, n) => String(n + 1).length + 52).reduce((sum, length) => sum + length, 0),
    );
    expect(largest).toBeLessThan(4 << 20);
  });

  it('fails with unreachable, exit 8, when the tunnel breaks while a statement runs', async () => {
    endpoint.onStream((stream) => {
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
      bridge(socket, {
        ...listenersOf(stream),
        onData: (listener) => {
          stream.onData((bytes) => {
            if (bytes[0] === 0x51) endpoint.breakTunnels();
            else listener(bytes);
          });
        },
      });
    });
    expect((await run('SELECT 1')).error).toMatchObject({ exitStatus: 8 });
  });

  it('gives up an approval after --wait, withdraws it by hanging up, and exits 7', async () => {
    let hungUp: () => void = () => undefined;
    const withdrawn = new Promise<void>((resolve) => (hungUp = resolve));
    endpoint.onStream((stream) => {
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
      bridge(socket, {
        ...listenersOf(stream),
        onData: (listener) => {
          stream.onData((bytes) => {
            if (bytes[0] === 0x51) endpoint.tunnels[0]?.sendEvent({ event: 'approval.waiting', request: 'r1' });
            else listener(bytes);
          });
        },
        onClose: (listener) => {
          stream.onClose((fault) => {
            hungUp();
            listener(fault);
          });
        },
      });
    });
    const { error } = await run('UPDATE customers SET name = name', { wait: '50ms' });
    expect(error).toMatchObject({ code: 'approval_timeout', exitStatus: 7 });
    await withdrawn;
  });

  it('passes reason and correlation id on', async () => {
    await run('SELECT 1', { access: { ...accessOf(endpoint), reason: 'ticket 7: ä', correlationId: 'job-1' } });
    expect(endpoint.headers[0]).toMatchObject({
      'x-hoop-reason': encodeURIComponent('ticket 7: ä'),
      'x-hoop-correlation-id': 'job-1',
      authorization: 'Bearer token',
    });
  });

  it.each([
    ['unknown connection', { connection: 'nope' }, 'no_access'],
    ['a type without SQL', { connection: 'web' }, 'not_in_version'],
    ['a wait that is no duration', { wait: 'soon' }, 'usage'],
    ['text without a statement', { source: { text: ' -- nothing\n', stdin: Readable.from([]) } }, 'usage'],
    ['both -i and -f', { source: { text: 'x', file: 'y', stdin: Readable.from([]) } }, 'usage'],
    [
      'a terminal as the only source',
      { source: { stdin: Object.assign(Readable.from([]), { isTTY: true }) } },
      'usage',
    ],
    ['a script that is no UTF-8', { source: { stdin: Readable.from([Buffer.from([0x53, 0xff])]) } }, 'usage'],
  ] as const)('refuses %s', async (_name, options, code) => {
    expect((await run('SELECT 1', options)).error).toMatchObject({ code });
  });

  it('reads the script from standard input', async () => {
    expect(
      (
        await run('', {
          source: { stdin: Readable.from([Buffer.from('SELECT 7 AS '), Buffer.from('n')]) },
          format: 'csv',
        })
      ).stdout,
    ).toBe('n\n7\n');
  });
});

describe('formatFrom', () => {
  it('takes --json for -o json and refuses --json -o csv', () => {
    expect([
      formatFrom(true, undefined),
      formatFrom(true, 'json'),
      formatFrom(false, 'csv'),
      formatFrom(false, undefined),
    ]).toEqual(['json', 'json', 'csv', 'table']);
    expect(() => formatFrom(true, 'csv')).toThrow('exclude');
  });
});

/** A stream's methods as a plain object, so that one of them can be replaced. */
function listenersOf(stream: Parameters<typeof bridge>[1]): Parameters<typeof bridge>[1] {
  return {
    write: (bytes) => stream.write(bytes),
    onData: (listener) => {
      stream.onData(listener);
    },
    onDrain: (listener) => {
      stream.onDrain(listener);
    },
    onEnd: (listener) => {
      stream.onEnd(listener);
    },
    onClose: (listener) => {
      stream.onClose(listener);
    },
    pause: () => {
      stream.pause();
    },
    resume: () => {
      stream.resume();
    },
    end: () => {
      stream.end();
    },
    destroy: (fault) => {
      stream.destroy(fault);
    },
  };
}
