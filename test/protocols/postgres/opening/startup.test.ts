import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitOptions, StartupReader, type StartupStep } from '../../../../src/protocols/postgres/opening/startup.js';
import { cstring, i32 } from '../wire.js';

function packet(code: number, body: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([i32(body.length + 8), i32(code), body]);
}

const parameters = (pairs: readonly (readonly [string, string])[]): Buffer =>
  Buffer.concat([...pairs.flatMap(([name, value]) => [cstring(name), cstring(value)]), Buffer.from([0])]);
const start = (pairs: readonly (readonly [string, string])[], version = 196608): Buffer =>
  packet(version, parameters(pairs));

function stepsOf(chunks: readonly Uint8Array[]): StartupStep[] {
  const reader = new StartupReader();
  const steps: StartupStep[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (;;) {
      const step = reader.next();
      if (step.kind === 'more') break;
      steps.push(step);
      if (step.kind !== 'reply') return steps;
    }
  }
  return steps;
}

describe('StartupReader', () => {
  it('answers GSSENCRequest and SSLRequest in either order with N, then takes the start-up message', () => {
    const tail = start([
      ['user', 'ann'],
      ['database', 'shop'],
      ['application_name', 'psql'],
    ]);
    for (const order of [
      [80877104, 80877103],
      [80877103, 80877104],
    ]) {
      const steps = stepsOf([Buffer.concat([...order.map((code) => packet(code)), tail, Buffer.from('rest')])]);
      expect(steps.map((step) => step.kind)).toEqual(['reply', 'reply', 'start']);
      expect(steps[2]).toMatchObject({
        message: { user: 'ann', database: 'shop', settings: [['application_name', 'psql']], minor: 0 },
      });
      expect(Buffer.from((steps[2] as { rest: Uint8Array }).rest).toString()).toBe('rest');
    }
  });

  it('gives the same byte by byte', () => {
    const bytes = Buffer.concat([packet(80877103), start([['user', 'ann']])]);
    expect(stepsOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(stepsOf([bytes]));
  });

  it('takes protocol 3.2 with its options named, and a cancel key of up to 256 bytes', () => {
    expect(
      stepsOf([
        start(
          [
            ['user', 'ann'],
            ['_pq_.wide', '1'],
          ],
          196610,
        ),
      ]),
    ).toMatchObject([{ kind: 'start', message: { minor: 2, protocolOptions: ['_pq_.wide'], settings: [] } }]);
    expect(stepsOf([packet(80877102, Buffer.concat([i32(7), Buffer.alloc(256, 1)]))])).toMatchObject([
      { kind: 'cancel', key: { pid: 7 } },
    ]);
    expect(stepsOf([packet(80877102, Buffer.concat([i32(7), Buffer.alloc(257, 1)]))])).toMatchObject([
      { kind: 'fault' },
    ]);
  });

  it.each([
    ['a length of 7', i32(7)],
    ['a length of 10,001', i32(10_001)],
    ['protocol 2', packet(131072, Buffer.alloc(8))],
    ['parameters without an end', packet(196608, Buffer.from('user\0ann\0'))],
    ['a third request for encryption', Buffer.concat([packet(80877103), packet(80877104), packet(80877103)])],
    [
      'options that are no settings',
      start([
        ['user', 'ann'],
        ['options', '-d 5'],
      ]),
    ],
  ])('refuses %s', (_name, bytes) => {
    expect(stepsOf([Buffer.concat([bytes, Buffer.alloc(8)])]).at(-1)?.kind).toBe('fault');
  });

  it('never throws on arbitrary bytes', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (chunks) => void stepsOf(chunks)));
  });
});

describe('splitOptions', () => {
  it.each([
    ['-c geqo=off', [['geqo', 'off']]],
    [
      '-cgeqo=off --search-path=a,b',
      [
        ['geqo', 'off'],
        ['search_path', 'a,b'],
      ],
    ],
    ['-c application_name=a\\ b', [['application_name', 'a b']]],
    ['  ', []],
  ])('splits %j', (text, settings) => {
    expect(splitOptions(text)).toEqual(settings);
  });

  it.each(['-c', '-c =x', 'geqo=off', '-B 10'])('refuses %j', (text) => {
    expect(splitOptions(text)).toBeUndefined();
  });
});
