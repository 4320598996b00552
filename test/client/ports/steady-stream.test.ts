import { describe, expect, it } from 'vitest';
import { farewellFor } from '../../../src/client/ports/farewell.js';
import { steadyStream } from '../../../src/client/ports/steady-stream.js';
import type { Fault } from '../../../src/core/errors.js';
import type { TunnelStream } from '../../../src/tunnel/stream.js';
import { settle } from '../fake-time.js';

const LOST: Fault = { code: 'unreachable', message: 'gone' };

interface FakeStream extends TunnelStream {
  readonly written: string;
  says(text: string): void;
  breaks(fault?: Fault): void;
}

function fakeStream(): FakeStream {
  let onData: (bytes: Uint8Array) => void = () => undefined;
  let onClose: (fault?: Fault) => void = () => undefined;
  let written = '';
  return {
    get written() {
      return written;
    },
    write: (bytes) => {
      written += Buffer.from(bytes).toString('latin1');
      return true;
    },
    onData: (listener) => (onData = listener),
    onClose: (listener) => (onClose = listener),
    onDrain: () => undefined,
    onEnd: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    end: () => (written += '<end>'),
    destroy: () => (written += '<destroyed>'),
    says: (text) => {
      onData(Buffer.from(text));
    },
    breaks: (fault = LOST) => {
      onClose(fault);
    },
  };
}

function steady(type: string): {
  readonly streams: FakeStream[];
  readonly stream: TunnelStream;
  readonly got: () => string;
  readonly faults: (Fault | undefined)[];
} {
  const streams = [fakeStream()];
  const faults: (Fault | undefined)[] = [];
  let got = '';
  const stream = steadyStream(streams[0] as FakeStream, {
    mayRepeat: farewellFor(type).mayRepeat,
    reopen: () => {
      const next = fakeStream();
      streams.push(next);
      return Promise.resolve(next);
    },
  });
  stream.onData((bytes) => (got += Buffer.from(bytes).toString('latin1')));
  stream.onClose((fault) => faults.push(fault));
  return { streams, stream, got: () => got, faults };
}

const GET = 'GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n';
const STARTUP = '\0\0\0\x12\0\x03\0\0user\0any\0\0';
const SSL_REQUEST = '\0\0\0\x08\x04\xd2\x16\x2f';
const CANCEL = '\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02';

describe('steadyStream', () => {
  it.each([
    ['http', GET],
    ['http', 'HEAD / HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['http', 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n'],
    ['http', ''],
    ['postgres', STARTUP],
    ['postgres', SSL_REQUEST],
    ['postgres', STARTUP.slice(0, 7)],
    ['tcp', ''],
  ])('sends once more, on the next tunnel, what begins nothing twice: %s %j', async (type, sent) => {
    const { streams, stream, got, faults } = steady(type);
    if (sent !== '') stream.write(Buffer.from(sent, 'latin1'));
    streams[0]?.breaks();
    await settle();
    expect(streams[1]?.written).toBe(sent);
    streams[1]?.says('answer');
    expect([got(), faults]).toEqual(['answer', []]);
  });

  it.each([
    ['http', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'],
    ['http', 'DELETE /customers/1 HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['http', 'GET / HTTP/1.1\r\nhost: x\r\nContent-Length: 2\r\n\r\n'],
    ['http', `GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`],
    ['http', 'GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n\r\n'],
    ['http', `${GET}DELETE / HTTP/1.1\r\n`],
    ['postgres', `${STARTUP}Q\0\0\0\x0ddelete\0`],
    ['postgres', CANCEL],
    ['tcp', 'x'],
  ])('never sends again what may have done something: %s %j', async (type, sent) => {
    const { streams, stream, faults } = steady(type);
    stream.write(Buffer.from(sent, 'latin1'));
    streams[0]?.breaks();
    await settle();
    expect(streams).toHaveLength(1);
    expect(faults).toEqual([LOST]);
  });

  it('sends nothing again once something has come back', async () => {
    const { streams, stream, faults } = steady('http');
    stream.write(Buffer.from(GET));
    streams[0]?.says('H');
    streams[0]?.breaks();
    await settle();
    expect([streams.length, faults]).toEqual([1, [LOST]]);
  });

  it('passes faults on that are no loss of the tunnel', async () => {
    const { streams, stream, faults } = steady('http');
    stream.write(Buffer.from(GET));
    streams[0]?.breaks({ code: 'token_refused', message: 'expired' });
    await settle();
    expect([streams.length, faults[0]?.code]).toEqual([1, 'token_refused']);
  });

  it('gives up after the third tunnel that breaks at once', async () => {
    const { streams, stream, faults } = steady('http');
    stream.write(Buffer.from(GET));
    for (let round = 0; round < 3; round += 1) {
      streams[round]?.breaks();
      await settle();
    }
    expect([streams.length, faults]).toEqual([3, [LOST]]);
  });

  it('sends what a client adds while it waits, behind the rest, and ends a stream that nobody wants any more', async () => {
    const { streams, stream } = steady('http');
    stream.write(Buffer.from('GET / HT'));
    streams[0]?.breaks();
    stream.write(Buffer.from('TP/1.1\r\n\r\n'));
    await settle();
    expect(streams[1]?.written).toBe('GET / HTTP/1.1\r\n\r\n');
    streams[1]?.breaks();
    stream.destroy();
    await settle();
    expect(streams[2]?.written ?? '<destroyed>').toBe('<destroyed>');
  });
});
