import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Clock } from '../../src/core/clock.js';
import type { RecordedEvent, SessionEnd, SessionStart } from '../../src/core/events.js';
import { uuidv7 } from '../../src/core/ids.js';
import type { RecordingIndex, StatementRow } from '../../src/core/recording-index.js';
import type { SessionSummary } from '../../src/core/session-summary.js';
import { generateRecordingKey } from '../../src/recording/keys.js';
import type { RecordingKey } from '../../src/recording/keys.js';
import { openRecordings } from '../../src/recording/recordings.js';
import type { Recordings, RecordingsOptions } from '../../src/recording/recordings.js';
import { makeFolder } from '../support/folders.js';

export const DATE = '2026-11-21';

/** Time that goes on by a millisecond with every look. */
export function steppingClock(startMs = Date.parse(`${DATE}T04:30:44.123Z`)): Clock {
  let nowMs = startMs;
  return {
    nowMs: () => (nowMs += 1),
    timestamp: () => new Date((nowMs += 1)).toISOString().replace('Z', '456Z'),
  };
}

/** Remembers what it was told. */
export class RememberingIndex implements RecordingIndex {
  readonly opened = new Map<string, SessionSummary>();
  readonly sealed = new Map<string, SessionSummary>();
  readonly rows: StatementRow[] = [];
  flushes = 0;

  sessionOpened(summary: SessionSummary): void {
    this.opened.set(summary.id, summary);
  }
  sessionSealed(summary: SessionSummary): void {
    this.sealed.set(summary.id, summary);
  }
  statementsSeen(rows: readonly StatementRow[]): void {
    this.rows.push(...rows);
  }
  flush(): void {
    this.flushes += 1;
  }
}

let sessions = 0;

export function sessionId(): string {
  sessions += 1;
  return uuidv7(1_790_000_000_000 + sessions, new Uint8Array(10).fill(sessions & 0xff));
}

export function start(session = sessionId()): SessionStart {
  return {
    type: 'session.start',
    session,
    user: {
      subject: 'u-1',
      email: 'ann@example.com',
      groups: ['engineering'],
      issuer: 'https://id.example.com',
      machine: false,
      attributes: {},
    },
    connection: { name: 'postgres', type: 'postgres', labels: { env: 'prod' } },
    credential: 'hoop_app',
    client: { application: 'psql', address: '127.0.0.1' },
  };
}

/** Three events of one statement. */
export function statement(
  number: number,
  text = `SELECT ${number}`,
  action: 'allow' | 'block' = 'allow',
): RecordedEvent[] {
  return [
    { type: 'statement', statement: number, text, via: 'query' },
    {
      type: 'decision',
      statement: number,
      action,
      rules: action === 'block' ? ['standard/where'] : [],
      policyHash: 'ab',
    },
    { type: 'result', statement: number, tag: 'SELECT 1', rows: 1, durationMs: 0.5 },
  ];
}

/** The events of one model call: request, decision, result, output. */
export function request(text: string): [RecordedEvent, RecordedEvent, RecordedEvent, RecordedEvent] {
  const body = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: text }] });
  return [
    {
      type: 'request',
      statement: 1,
      method: 'POST',
      path: '/v1/chat/completions',
      text,
      body,
      bodyBytes: body.length,
      contentType: 'application/json',
      endpoint: 'chat.completions',
      model: 'gpt-4o-mini',
      stream: true,
    },
    { type: 'decision', statement: 1, action: 'allow', rules: [], policyHash: 'ab' },
    {
      type: 'result',
      statement: 1,
      status: 200,
      bytes: 512,
      durationMs: 300.5,
      firstByteMs: 120.25,
      usage: { inputTokens: 12, outputTokens: 7 },
      costUsd: 0.0001,
    },
    {
      type: 'output',
      statement: 1,
      body: 'data: [DONE]\n\n',
      bodyBytes: 512,
      contentType: 'text/event-stream',
      text: [`answer to ${text}`],
    },
  ];
}

export const END: SessionEnd = { type: 'session.end', reason: 'client', statements: 3, blocked: 0 };

/** A recordings folder of its own, with what belongs to it. */
export class Bench {
  readonly dir = join(makeFolder('recording'), 'recordings');
  readonly key: RecordingKey = generateRecordingKey();
  readonly index = new RememberingIndex();
  readonly faults: { code: string; message: string; session?: string }[] = [];
  readonly clock = steppingClock();

  open(options: Partial<RecordingsOptions> = {}): Recordings {
    const { dir, key, index, clock } = this;
    return openRecordings({
      dir,
      key,
      index,
      clock,
      durability: 'flush',
      onFault: (fault) => this.faults.push(fault),
      ...options,
    });
  }

  /** Records and seals one session of three statements: 12 events. */
  async record(recordings: Recordings, session = sessionId()): Promise<string> {
    const recorder = recordings.open(start(session));
    for (const number of [1, 2, 3]) for (const event of statement(number)) recorder.record(event);
    await recorder.seal(END);
    return session;
  }

  path(session: string): string {
    return join(this.dir, DATE, `${session}.ndjson`);
  }

  lines(session: string): string[] {
    return readFileSync(this.path(session), 'utf8').trimEnd().split('\n');
  }

  write(session: string, lines: readonly string[]): void {
    writeFileSync(this.path(session), lines.map((line) => `${line}\n`).join(''));
  }

  remove(): void {
    rmSync(join(this.dir, '..'), { recursive: true, force: true });
  }
}

/** The bytes given, cut into pieces of `size`. */
export async function* inPieces(bytes: Uint8Array | string, size = 65_536): AsyncGenerator<Uint8Array> {
  const whole = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}
