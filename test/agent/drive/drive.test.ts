import { describe, expect, it } from 'vitest';
import { Drive } from '../../../src/agent/drive/drive.js';
import type { DrivenSession, DriveHost } from '../../../src/agent/drive/drive-host.js';
import type { RecordedEvent } from '../../../src/core/events.js';
import type { Verdict } from '../../../src/policy/types.js';
import type { Question, Step } from '../../../src/protocols/contract.js';
import type { TunnelStream } from '../../../src/tunnel/stream.js';

const allowed: Verdict = { action: 'allow', rule: '', message: '', flows: [], matches: [], policyHash: 'p' };

const output: RecordedEvent = { type: 'output', statement: 1, format: 'rows', rows: [], bytes: 0 } as never;
const result: RecordedEvent = { type: 'result', statement: 1, rows: 1, bytes: 5 } as never;
const send = (to: 'client' | 'upstream', text: string): Step => ({ kind: 'send', to, bytes: Buffer.from(text) });
const record = (event: RecordedEvent): Step => ({ kind: 'record', event });

const question: Question = {
  statement: 2,
  facts: {},
  basis: {},
  phase: 'run',
  completed: () => undefined,
  event: () => ({ type: 'statement', statement: 2, text: 'SELECT 2', via: 'query' }) as never,
  reviewText: () => '',
  bindTo: () => new Uint8Array(),
};

/** A drive between two streams that note down what is written, of a session that answers its server's bytes with `steps`. */
function driven(
  steps: readonly Step[],
  host: Partial<DriveHost> = {},
  answered?: () => readonly Step[],
): { readonly log: string[]; answer(): void } {
  const log: string[] = [];
  let fromServer: (bytes: Uint8Array) => void = () => undefined;
  const stream = (side: string): TunnelStream => ({
    write: (bytes) => log.push(`${side} < ${Buffer.from(bytes).toString()}`) > 0,
    onData: (listener) => {
      if (side === 'upstream') fromServer = listener;
    },
    onDrain: () => undefined,
    onEnd: () => undefined,
    onClose: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    end: () => log.push(`${side} ends`),
    destroy: () => log.push(`${side} destroyed`),
  });
  const session: DrivenSession = {
    busy: false,
    heldBytes: 0,
    counts: { statements: 1, blocked: 0 },
    receive: () => steps,
    answer: (ticket, { action }) => answered?.() ?? [send('upstream', `ticket ${String(ticket)} ${action}`)],
    end: () => [],
    terminate: (reason) => [{ kind: 'close', reason }],
  };
  const drive = new Drive(session, stream('client'), {
    judge: () => allowed,
    study: () => Promise.resolve(),
    hold: () => ({ kind: 'refused', message: '' }),
    record: ({ type }) => log.push(`record ${type}`),
    flush: () => void log.push('flush'),
    seal: () => Promise.resolve(),
    tell: () => undefined,
    maxHeldBytes: 1_000,
    monotonicMs: () => 0,
    cancelUpstream: () => Promise.resolve(),
    closed: () => undefined,
    log: (message) => log.push(`log ${message}`),
    ...host,
  });
  drive.attach(stream('upstream'));
  return {
    log,
    answer: () => {
      fromServer(Buffer.from('x'));
    },
  };
}

describe('the order in which steps are carried out', () => {
  it('lets an answer leave before what tells of it is recorded, wherever the session says so', () => {
    for (const steps of [
      [record(output), record(result), send('client', 'rows')],
      [record(output), send('client', 'ro'), record(result), send('client', 'ws')],
      [send('client', 'rows'), record(output), record(result)],
    ]) {
      const { log, answer } = driven(steps);
      answer();
      expect(log).toEqual(['client < rows', 'record output', 'record result']);
    }
  });

  it('keeps the order of what goes to both sides, results behind both', () => {
    const { log, answer } = driven([send('client', 'a'), record(result), send('upstream', 'b'), send('client', 'c')]);
    answer();
    expect(log).toEqual(['client < a', 'upstream < b', 'client < c', 'record result']);
  });

  it('records a result before the next statement, which is recorded and flushed before it goes up', () => {
    const { log, answer } = driven([record(result), send('client', 'rows'), { kind: 'ask', ticket: 7, question }]);
    answer();
    expect(log).toEqual([
      'client < rows',
      'record result',
      'record statement',
      'record decision',
      'flush',
      'upstream < ticket 7 allow',
    ]);
  });

  it('records a result before both sides end', () => {
    const { log, answer } = driven([record(result), send('client', 'bye'), { kind: 'close', reason: 'upstream' }]);
    answer();
    expect(log).toEqual(['client < bye', 'record result', 'client ends', 'upstream destroyed']);
  });

  it('refuses the next statement where its record fails, and sends nothing up but the refusal', () => {
    const { log, answer } = driven([{ kind: 'ask', ticket: 7, question }], {
      flush: () => {
        throw new Error('no space left');
      },
    });
    answer();
    expect(log.filter((line) => line.startsWith('upstream'))).toEqual(['upstream < ticket 7 block']);
    expect(log).toContain('log not recorded, so refused: no space left');
  });

  it('decides 100,000 statements that came at once, one behind the other', async () => {
    let left = 100_000;
    const { log, answer } = driven([{ kind: 'ask', ticket: 7, question }], {}, () => {
      left -= 1;
      return left > 0 ? [{ kind: 'ask', ticket: 7, question }] : [send('upstream', 'all')];
    });
    answer();
    await expect.poll(() => log.at(-1)).toBe('upstream < all');
    expect(log.filter((line) => line === 'record decision')).toHaveLength(100_000);
    expect(log.some((line) => line.startsWith('log'))).toBe(false);
  });

  it('goes on where a result can not be recorded any more, and says so', () => {
    const { log, answer } = driven([record(result), send('client', 'rows')], {
      record: () => {
        throw new Error('no space left');
      },
    });
    answer();
    expect(log).toEqual(['client < rows', 'log result not recorded: no space left']);
  });
});
