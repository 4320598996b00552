import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../../src/core/events.js';
import { loadGrammar } from '../../../src/protocols/postgres/facts/analyze.js';
import { clientMessage, newSession, OPENED, outcomeOf, type Settings } from './conversation.js';
import { complete, message, messagesIn, ready, row, rowDescription } from './wire.js';

beforeAll(loadGrammar);

interface Ran {
  readonly result: Extract<RecordedEvent, { type: 'result' }>;
  readonly output: RecordedEvent | undefined;
  /** The row messages that the client got. */
  readonly rows: Buffer;
}

function ran(settings: Settings, statement: string, said: Buffer, cuts: readonly number[] = []): Ran {
  const session = newSession(settings);
  const opening = outcomeOf(session.start(new Uint8Array()));
  session.answer(opening.asked[0]?.ticket ?? 0, { action: 'allow', notices: [] });
  session.receive('upstream', Buffer.concat(OPENED));
  const ticket = outcomeOf(session.receive('client', clientMessage(`Q ${statement}`))).asked[0]?.ticket ?? 0;
  session.answer(ticket, { action: 'allow', notices: [] });
  const places = [0, ...[...new Set(cuts.map((cut) => cut % said.length))].sort((a, b) => a - b), said.length];
  const steps = places.slice(1).flatMap((end, at) => session.receive('upstream', said.subarray(places[at], end)));
  const { client } = outcomeOf(steps);
  const events = steps.flatMap((step) => (step.kind === 'record' ? [step.event] : []));
  const result = events.find((event) => event.type === 'result');
  if (result === undefined) throw new Error('no result was recorded');
  const rows = messagesIn(client).filter(({ type }) => type === 'D' || type === 'd');
  return {
    result,
    output: events.find((event) => event.type === 'output'),
    rows: Buffer.concat(rows.map(({ type, body }) => message(type, body))),
  };
}

const digestOf = (bytes: Buffer) => ({
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  whole: true,
});
const COLUMNS = rowDescription([
  { name: 'id', type: 23, format: 0 },
  { name: 'note', type: 25, format: 0 },
]);
const manyRows = (count: number, note: string): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, at) => row([String(at), `${note} ${String(at)}`])));
const select = (rows: Buffer, count: number): Buffer =>
  Buffer.concat([COLUMNS, rows, complete(`SELECT ${String(count)}`), ready()]);

describe('the digest of a result', () => {
  it('is of every row that the client got, however the network cut them', () => {
    const rows = manyRows(300, 'nothing to hide in this one');
    const said = select(rows, 300);
    expect(ran({}, 'SELECT', said).rows.equals(rows)).toBe(true);
    fc.assert(
      fc.property(fc.array(fc.nat(said.length), { maxLength: 30 }), (cuts) => {
        const { result, output } = ran({}, 'SELECT', said, cuts);
        expect(result).toMatchObject({ rows: 300, digest: digestOf(rows) });
        expect(output).toMatchObject({ totalRows: 300 });
      }),
      { numRuns: 50 },
    );
  });

  it('is of masked rows where they are masked', () => {
    const said = select(manyRows(300, 'ann.lee@example.com'), 300);
    for (const cuts of [[], [500, 700, 7_000, 7_001]]) {
      const { result, rows } = ran({ mask: ['email'] }, 'SELECT', said, cuts);
      expect(rows.includes('ann.lee@example.com')).toBe(false);
      expect(result.digest).toEqual(digestOf(rows));
    }
  });

  it('is of a row that is too large to be looked at, too', () => {
    const rows = row(['1', 'x'.repeat(700_000)]);
    expect(ran({}, 'SELECT', select(rows, 1), [10, 300_000, 500_000]).result.digest).toEqual(digestOf(rows));
  });

  it('is of the data of a COPY, masked or not', () => {
    const data = Buffer.concat(
      Array.from({ length: 200 }, (_, at) => message('d', `${String(at)}\tann.lee@example.com\n`)),
    );
    const head = message('H', [0, 0, 2, 0, 0, 0, 0]);
    const said = Buffer.concat([head, data, message('c', ''), complete('COPY 200'), ready()]);
    expect(ran({}, 'COPY t TO STDOUT', said, [100, 1_000]).result.digest).toEqual(digestOf(data));
    const masked = ran({ mask: ['email'] }, 'COPY t TO STDOUT', said, [100, 1_000]);
    expect(masked.rows.includes('ann.lee@')).toBe(false);
    expect(masked.result.digest).toEqual(digestOf(masked.rows));
  });

  it('is left out where all rows are recorded, and given for one cell that is not', () => {
    expect(ran({}, 'SELECT', select(manyRows(50, 'a'), 50)).result).not.toHaveProperty('digest');
    const rows = row(['1', 'x'.repeat(1_025)]);
    expect(ran({}, 'SELECT', select(rows, 1)).result.digest).toEqual(digestOf(rows));
  });

  it('says so where it is of the first bytes alone', () => {
    const rows = manyRows(300, 'abc');
    const { result } = ran({ bounds: { hashBytes: 1_000 } }, 'SELECT', select(rows, 300));
    expect(result.digest).toEqual({ ...digestOf(rows.subarray(0, 1_000)), whole: false });
    expect(ran({ bounds: { hashBytes: 0 } }, 'SELECT', select(rows, 300)).result).not.toHaveProperty('digest');
  });

  it('is left out where the record is masked further than the answer: values could be guessed by it', () => {
    const rows = manyRows(300, 'ann.lee@example.com');
    expect(ran({ observed: true }, 'SELECT', select(rows, 300)).result).not.toHaveProperty('digest');
  });

  it('stands beside as many rows as the connection says', () => {
    const { result, output } = ran({ bounds: { rows: 2 } }, 'SELECT', select(manyRows(3, 'a'), 3));
    expect(output).toMatchObject({
      rows: [
        ['0', 'a 0'],
        ['1', 'a 1'],
      ],
      totalRows: 3,
    });
    expect(result.digest).toEqual(digestOf(manyRows(3, 'a')));
  });
});
