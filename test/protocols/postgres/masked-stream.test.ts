import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadGrammar } from '../../../src/protocols/postgres/facts/analyze.js';
import { clientMessage, newSession, OPENED, outcomeOf, serverMessage } from './conversation.js';
import { cstring, i32, message, messagesIn, row, rowDescription, u16 } from './wire.js';

beforeAll(loadGrammar);

const SECRETS = ['ann.lee@example.com', '4111111111111111'] as const;
const hex = (text: string): string => Buffer.from(text).toString('hex');
const int8 = (text: string): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(text));
  return bytes;
};
const numeric = Buffer.concat([u16(4), u16(3), u16(0), u16(0), ...[4111, 1111, 1111, 1111].map(u16)]);
const textArray = (text: string): Buffer =>
  Buffer.concat([i32(1), i32(0), i32(25), i32(1), i32(1), i32(text.length), Buffer.from(text)]);
const float8 = Buffer.alloc(8);
float8.writeDoubleBE(378282246310005);

interface Planted {
  readonly type: number;
  readonly format: number;
  readonly cell: Buffer;
}
const [MAIL, CARD] = SECRETS;
const PLANTED: readonly Planted[] = [
  { type: 25, format: 0, cell: Buffer.from(`to ${MAIL}, card ${CARD}`) },
  { type: 1043, format: 1, cell: Buffer.from(MAIL) },
  { type: 705, format: 0, cell: Buffer.from(CARD) },
  { type: 114, format: 0, cell: Buffer.from(`{"a":["${MAIL}",${CARD}]}`) },
  { type: 114, format: 1, cell: Buffer.from(String.raw`{"a":"ann.lee\u0040example.com"}`) },
  { type: 3802, format: 1, cell: Buffer.from(`\x01{"${MAIL}":1}`) },
  { type: 20, format: 0, cell: Buffer.from(CARD) },
  { type: 20, format: 1, cell: int8(CARD) },
  { type: 1700, format: 0, cell: Buffer.from(CARD) },
  { type: 1700, format: 1, cell: numeric },
  { type: 701, format: 1, cell: float8 },
  { type: 17, format: 0, cell: Buffer.from(`\\x${hex(MAIL)}`) },
  { type: 17, format: 1, cell: Buffer.from(MAIL) },
  { type: 1009, format: 0, cell: Buffer.from(`{${MAIL},x}`) },
  { type: 1009, format: 1, cell: textArray(MAIL) },
  { type: 1016, format: 1, cell: Buffer.concat([i32(1), i32(0), i32(20), i32(1), i32(1), i32(8), int8(CARD)]) },
  { type: 2249, format: 1, cell: Buffer.concat([i32(2), i32(25), i32(-1), i32(1700), i32(numeric.length), numeric]) },
  { type: 3926, format: 1, cell: Buffer.concat([Buffer.from([2]), i32(8), int8(CARD), i32(8), int8(CARD)]) },
  { type: 99_999, format: 1, cell: Buffer.from(MAIL) },
];
/** Every way in which the secrets would show in the bytes. */
const SPELLINGS = [
  MAIL,
  CARD,
  String.raw`ann.lee\u0040example.com`,
  hex(MAIL),
  int8(CARD).toString('latin1'),
  numeric.toString('latin1'),
  float8.toString('latin1'),
];

function answered(
  settings: Parameters<typeof newSession>[0],
  statement: string,
  said: Buffer,
  places: readonly number[],
): string {
  const session = newSession(settings);
  const opening = outcomeOf(session.start(new Uint8Array()));
  session.answer(opening.asked[0]?.ticket ?? 0, { action: 'allow', notices: [] });
  session.receive('upstream', Buffer.concat(OPENED));
  const ticket = outcomeOf(session.receive('client', clientMessage(`Q ${statement}`))).asked[0]?.ticket ?? 0;
  session.answer(ticket, { action: 'allow', notices: [] });
  const cuts = [0, ...[...new Set(places.map((place) => place % said.length))].sort((a, b) => a - b), said.length];
  const outcome = outcomeOf(
    cuts.slice(1).flatMap((end, index) => session.receive('upstream', said.subarray(cuts[index], end))),
  );
  expect(outcome.closed).toBeUndefined();
  return outcome.client.toString('latin1');
}

const settings = { mask: ['email', 'credit-card'] };
const places = fc.array(fc.nat(100_000), { maxLength: 12 });

describe('no planted value reaches the client, however the stream of the server is cut', () => {
  it('in rows of 19 kinds of cells, text and binary, up to 80 rows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...PLANTED), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 80 }),
        places,
        (cells, rows, cuts) => {
          const said = Buffer.concat([
            rowDescription(cells.map(({ type, format }, index) => ({ name: `c${String(index)}`, type, format }))),
            ...Array.from({ length: rows }, () => row(cells.map(({ cell }) => cell))),
            serverMessage(`C SELECT ${String(rows)}`),
            serverMessage('Z I'),
          ]);
          const seen = answered(settings, 'select 1', said, cuts);
          for (const spelling of SPELLINGS) expect(seen).not.toContain(spelling);
          expect(messagesIn(Buffer.from(seen, 'latin1')).filter(({ type }) => type === 'D')).toHaveLength(rows);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('in COPY text and CSV, errors, notices and notifications', () => {
    const text = [`1\t${MAIL}\tx`, String.raw`{"a":"ann.lee\\u0040example.com"}`, `\\\\x${hex(MAIL)}`, `\\x\\${MAIL}`];
    const csv = [`1,"${MAIL}, ""${CARD}"""`, `\\x${hex(MAIL)}`, String.raw`"{""a"":""ann.lee\u0040example.com""}"`];
    fc.assert(
      fc.property(fc.boolean(), places, (asCsv, cuts) => {
        const said = Buffer.concat([
          serverMessage(`N 00000 near ${MAIL}`),
          serverMessage('H'),
          ...(asCsv ? csv : text).map((line) => message('d', Buffer.from(`${line}\n`))),
          serverMessage('c'),
          serverMessage('C COPY 3'),
          message('A', Buffer.concat([i32(1), cstring('news'), cstring(CARD)])),
          serverMessage('Z I'),
          serverMessage(`E 22P02 bad DETAIL: Key (mail)=(${MAIL})`),
        ]);
        const seen = answered(settings, asCsv ? 'copy t to stdout csv' : 'copy t to stdout', said, cuts);
        for (const spelling of SPELLINGS) expect(seen).not.toContain(spelling);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a large row', () => {
  it('passes in parts where no mask is on, beyond the limit for held messages, and a notice of ours waits for its end', () => {
    const session = newSession({ rowBytes: 1_000 });
    const opened = outcomeOf(session.start(new Uint8Array())).asked[0]?.ticket ?? 0;
    session.answer(opened, { action: 'allow', notices: [] });
    session.receive('upstream', Buffer.concat(OPENED));
    const ask = (line: string): number =>
      outcomeOf(session.receive('client', clientMessage(line))).asked[0]?.ticket ?? 0;
    session.answer(ask('Q select 1'), { action: 'allow', notices: [] });
    session.receive('upstream', rowDescription([{ name: 'big' }]));
    const big = row(['x'.repeat(1_000_000)]);
    const first = outcomeOf(session.receive('upstream', big.subarray(0, 300_000)));
    expect(first.client.equals(big.subarray(0, 300_000))).toBe(true);
    const held = outcomeOf(session.answer(ask('Q select 2'), { action: 'allow', notices: ['warning by policy'] }));
    expect(held.client).toHaveLength(0);
    expect(held.upstream.toString('latin1')).toContain('select 2');
    const rest = outcomeOf(session.receive('upstream', big.subarray(300_000)));
    expect(rest.client.subarray(0, 700_000 + 11).equals(big.subarray(300_000))).toBe(true);
    expect(messagesIn(rest.client.subarray(700_000 + 11)).map(({ type }) => type)).toEqual(['N']);
  });

  it('of 1,001 B is refused where a mask is on and 1,000 B may be held', () => {
    const session = newSession({ ...settings, rowBytes: 1_000 });
    session.answer(outcomeOf(session.start(new Uint8Array())).asked[0]?.ticket ?? 0, { action: 'allow', notices: [] });
    session.receive('upstream', Buffer.concat(OPENED));
    session.answer(outcomeOf(session.receive('client', clientMessage('Q select 1'))).asked[0]?.ticket ?? 0, {
      action: 'allow',
      notices: [],
    });
    session.receive('upstream', rowDescription([{ name: 'big' }]));
    const outcome = outcomeOf(session.receive('upstream', row(['x'.repeat(990)])));
    expect(outcome.closed).toBe('fault: message of 1001 B from the server, limit is 1000 B');
    expect(messagesIn(outcome.client).map(({ type }) => type)).toEqual(['E']);
  });
});
