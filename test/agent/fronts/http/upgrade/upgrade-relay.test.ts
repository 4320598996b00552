import { duplexPair, type Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { frameOf, OPCODE } from '../../../../../src/agent/fronts/http/upgrade/upgrade-frames.js';
import {
  WebSocketRelay,
  type RelayEnd,
  type RelayOptions,
} from '../../../../../src/agent/fronts/http/upgrade/upgrade-relay.js';

interface Bench {
  readonly relay: WebSocketRelay;
  /** The far ends. */
  readonly client: Duplex;
  readonly upstream: Duplex;
  readonly end: Promise<RelayEnd>;
  readonly logged: unknown[];
}

function bench(options: Partial<RelayOptions> = {}): Bench {
  const [client, nearClient] = duplexPair();
  const [upstream, nearUpstream] = duplexPair();
  const logged: unknown[] = [];
  let done: (end: RelayEnd) => void = () => undefined;
  const end = new Promise<RelayEnd>((resolve) => (done = resolve));
  const relay = new WebSocketRelay({
    client: nearClient,
    upstream: nearUpstream,
    early: Buffer.alloc(0),
    maxMessageBytes: 1_000_000,
    times: { pingMs: 15, closeMs: 40 },
    message: (_from, data) => ({ on: [data] }),
    reason: (_from, text) => text,
    log: (error) => logged.push(error),
    done,
    ...options,
  });
  return { relay, client, upstream, end, logged };
}

/** Answers every ping with a pong, as a living peer does. */
function answerPings(far: Duplex, masked: boolean): void {
  far.on('data', (part: Buffer) => {
    if (part[0] === (0x80 | OPCODE.ping))
      for (const one of frameOf(OPCODE.pong, Buffer.alloc(0), masked)) far.write(one);
  });
}

const write = (far: Duplex, frame: readonly Buffer[]): void => {
  for (const part of frame) far.write(part);
};

const closing = (code: number, masked: boolean): Buffer[] => {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return frameOf(OPCODE.close, payload, masked);
};

describe('the relay of an upgraded stream', () => {
  it('ends a stream of which the client gives no sign of life for 3 pings, and the other side with it', async () => {
    const { upstream, client, end } = bench();
    client.resume();
    answerPings(upstream, false);
    expect(await end).toEqual({ code: 1006, reason: '', by: 'client' });
  });

  it('keeps one whose 2 sides answer pings for 20 pings', async () => {
    const { upstream, client, relay, end } = bench();
    answerPings(upstream, false);
    answerPings(client, true);
    let over = false;
    void end.then(() => (over = true));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(over).toBe(false);
    relay.stop('agent', 1001, 'bye');
    expect(await end).toEqual({ code: 1001, reason: 'bye', by: 'agent' });
  });

  it('gives up an upstream that never answers a close frame', async () => {
    const { upstream, client, end } = bench({ times: { pingMs: 10_000, closeMs: 40 } });
    upstream.resume();
    client.resume();
    write(client, closing(1000, true));
    expect(await end).toEqual({ code: 1000, reason: '', by: 'client' });
  });

  it('ends with 1011, and logs why, where a message can not be looked at; nothing of it goes on', async () => {
    const seen: Buffer[] = [];
    const { upstream, client, end, logged } = bench({
      message: () => {
        throw new Error('no masker');
      },
    });
    upstream.resume();
    client.on('data', (part: Buffer) => seen.push(part));
    write(upstream, frameOf(OPCODE.text, Buffer.from('secret'), false));
    expect(await end).toMatchObject({ code: 1011, by: 'agent' });
    expect(Buffer.concat(seen).toString()).not.toContain('secret');
    expect(logged).toHaveLength(1);
  });

  it('passes what the client sent before its upgrade was answered, first', async () => {
    const seen: string[] = [];
    const early = Buffer.concat(frameOf(OPCODE.text, Buffer.from('early'), true));
    const { client, relay, end } = bench({
      early,
      message: (_from, data) => {
        seen.push(data.toString());
        return { on: [data] };
      },
    });
    write(client, frameOf(OPCODE.text, Buffer.from('late'), true));
    await expect.poll(() => seen).toEqual(['early', 'late']);
    relay.stop('agent', 1001, '');
    await end;
  });

  it('owes one pong however many pings come while the client reads nothing', async () => {
    const { client, relay, end } = bench({ times: { pingMs: 10_000, closeMs: 40 } });
    const ping = Buffer.concat(frameOf(OPCODE.ping, Buffer.from('x'.repeat(100)), true));
    for (let n = 0; n < 10_000; n += 1) client.write(Buffer.from(ping));
    await new Promise((resolve) => setTimeout(resolve, 100));
    let bytes = 0;
    client.on('data', (part: Buffer) => (bytes += part.length));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(bytes).toBeLessThan(200_000);
    relay.stop('agent', 1001, '');
    await end;
  });
});
