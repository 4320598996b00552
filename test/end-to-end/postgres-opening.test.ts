import { connect, type Socket } from 'node:net';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cstring, i32, messagesIn } from '../protocols/postgres/wire.js';
import { openLocalPostgres, type LocalPostgres } from '../support/local-postgres.js';
import { missingPostgres } from '../support/postgres-server.js';

const missing = missingPostgres();
const SSL = Buffer.concat([i32(8), i32(80_877_103)]);
const GSS = Buffer.concat([i32(8), i32(80_877_104)]);

/** A start-up packet of protocol 3.`minor`. */
function startup(minor: number, parameters: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries({ user: 'ann', ...parameters }).flatMap((pair) => pair.map(cstring));
  const body = Buffer.concat([...pairs, Buffer.from([0])]);
  return Buffer.concat([i32(body.length + 8), i32((3 << 16) | minor), body]);
}

/** A client that reads what it is told to wait for. */
class Wire {
  #bytes = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake?.();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => this.#wake?.());
  }

  async take(count: number): Promise<string> {
    while (this.#bytes.length < count && !this.socket.closed) await this.#more();
    const taken = this.#bytes.subarray(0, count).toString('latin1');
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  /** Messages up to ReadyForQuery or an error, or the end. */
  async opened(): Promise<{ type: string; body: Buffer }[]> {
    const found: { type: string; body: Buffer }[] = [];
    for (;;) {
      const head = await this.take(5);
      if (head.length < 5) return found;
      const length = Buffer.from(head, 'latin1').readUInt32BE(1);
      const rest = await this.take(length - 4);
      found.push(...messagesIn(Buffer.from(head + rest, 'latin1')));
      if (head.startsWith('Z') || head.startsWith('E')) return found;
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

describe.skipIf(missing !== undefined)(
  `how a Postgres session begins, through a local port${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let local: LocalPostgres;
    let withTls: LocalPostgres;
    beforeAll(async () => {
      local = await openLocalPostgres();
      withTls = await openLocalPostgres({ tls: true });
    });
    afterAll(async () => {
      await local.close();
      await withTls.close();
    });

    async function opened(bytes: Buffer): Promise<{ wire: Wire; messages: { type: string; body: Buffer }[] }> {
      const wire = new Wire(local.port);
      wire.socket.write(bytes);
      return { wire, messages: await wire.opened() };
    }

    it.each([
      ['SSLRequest then GSSENCRequest', SSL, GSS],
      ['GSSENCRequest then SSLRequest', GSS, SSL],
    ])('%s: each is answered N, and the start-up that follows opens the session', async (_name, first, second) => {
      const wire = new Wire(local.port);
      wire.socket.write(first);
      expect(await wire.take(1)).toBe('N');
      wire.socket.write(second);
      expect(await wire.take(1)).toBe('N');
      wire.socket.write(startup(0, {}));
      const types = (await wire.opened()).map(({ type }) => type);
      expect(types.filter((type) => type !== 'S')).toEqual(['R', 'K', 'Z']);
      wire.socket.destroy();
    });

    it('where TLS is offered, GSSENCRequest is answered N and SSLRequest S', async () => {
      const wire = new Wire(withTls.port);
      wire.socket.write(GSS);
      expect(await wire.take(1)).toBe('N');
      wire.socket.write(SSL);
      expect(await wire.take(1)).toBe('S');
      wire.socket.destroy();
    });

    it.each([
      ['sslmode=disable', false, false],
      ['sslmode=allow', false, false],
      ['sslmode=prefer', false, true],
      ['sslmode=prefer gssencmode=prefer', false, true],
      ['sslmode=disable gssencmode=prefer', false, false],
    ])('psql with %s gets in: encrypted %s without TLS at the port, %s with it', async (settings, without, offered) => {
      for (const [port, encrypted] of [
        [local, without],
        [withTls, offered],
      ] as const) {
        const { status, stdout } = await port.psql('select 1;\n\\conninfo\n', { settings, args: ['-A', '-t'] });
        expect(status).toBe(0);
        expect(stdout.toString().startsWith('1\n')).toBe(true);
        expect(stdout.toString().includes('SSL connection')).toBe(encrypted);
      }
    });

    it('protocol 3.2 is negotiated down to 3.0, the options it does not know are named, the key has 4 bytes', async () => {
      const { wire, messages } = await opened(startup(2, { '_pq_.novel': 'on', '_pq_.other': '1' }));
      const negotiated = messages.find(({ type }) => type === 'v');
      expect(negotiated?.body).toEqual(
        Buffer.concat([
          i32(negotiated?.body.readUInt32BE(0) ?? -1),
          i32(2),
          cstring('_pq_.novel'),
          cstring('_pq_.other'),
        ]),
      );
      expect((negotiated?.body.readUInt32BE(0) ?? -1) & 0xffff).toBe(0);
      expect(messages.find(({ type }) => type === 'K')?.body).toHaveLength(8);
      expect(messages.at(-1)?.type).toBe('Z');
      wire.socket.destroy();
    });

    it('ParameterStatus tells the same names and values, in the same order, as the server does direct', async () => {
      const told = async (client: Client): Promise<string[]> => {
        const seen: string[] = [];
        client.connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
          seen.push(`${status.parameterName}=${status.parameterValue}`);
        });
        await client.connect();
        await client.query("set application_name = 'probe'; set timezone = 'Asia/Tokyo'");
        await client.end();
        return seen;
      };
      const direct = await told(local.clientDirect());
      expect(await told(local.client())).toEqual(direct);
      expect(direct).toContain('TimeZone=Asia/Tokyo');
      expect(direct.length).toBeGreaterThan(12);
    });

    it.each(['-c work_mem=5MB -c statement_timeout=9s', '--work-mem=5MB --statement-timeout=9s'])(
      'start-up options `%s` set what they say',
      async (options) => {
        const { status, stdout } = await local.psql('show work_mem;\nshow statement_timeout;\n', {
          settings: `options='${options}'`,
          args: ['-A', '-t'],
        });
        expect([status, stdout.toString()]).toEqual([0, '5MB\n9s\n']);
      },
    );

    it.each(['-d 5', '-P', '-f s', '-c', '-c work_mem', 'work_mem=5MB', '-W 1'])(
      'start-up options `%s` are refused before the server is asked',
      async (options) => {
        const { messages } = await opened(startup(0, { options }));
        expect(messages.map(({ type }) => type)).toEqual(['E']);
        expect(messages[0]?.body.toString()).toContain('expected start-up options of the form -c name=value');
      },
    );
  },
);
