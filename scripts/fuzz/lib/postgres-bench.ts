import { createHmac } from 'node:crypto';
import { authenticationCrypto } from '../../../src/agent/fronts/postgres/authentication-crypto.js';
import { sessionMasks } from '../../../src/agent/session-masks.js';
import type { MaskRule } from '../../../src/core/mask.js';
import type { Question, Side, Step } from '../../../src/protocols/contract.js';
import { PostgresSession } from '../../../src/protocols/postgres/session.js';
import { sqlReader } from '../../../src/protocols/postgres/sql-reader.js';
import { cstring, i32, message, ready } from '../../../test/protocols/postgres/wire.js';

const MASK: MaskRule = {
  name: 'fuzz/all',
  entities: ['email', 'credit-card', 'us-ssn'],
  columns: [],
  strategy: 'redact',
  with: '',
  on: { requests: true, answers: true },
  observed: false,
};
const hash = (input: Uint8Array): Uint8Array => createHmac('sha256', 'fuzz').update(input).digest();

/** Every string in an event, one a line: as JSON, an escape before a value could complete or hide it. */
function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? Object.entries(value).flat().map(textIn).join('\n') : '';
}

/** What a session did, as its two peers and its recorder saw it. */
export interface Seen {
  readonly client: Buffer[];
  readonly upstream: Buffer[];
  readonly records: string[];
}

/**
 * A session with its drive's promises kept, and nothing else: no socket, no clock. Bytes of a client that come while a
 * decision is open would wait; here each is decided at once.
 */
export class SessionBench {
  readonly seen: Seen = { client: [], upstream: [], records: [] };
  isClosed = false;
  readonly #session: PostgresSession;

  /** @param allows may this statement go up? */
  constructor(private readonly allows: (question: Question) => boolean) {
    const masks = sessionMasks({ rules: [MASK], needsColumns: false }, [], hash, () => undefined);
    this.#session = new PostgresSession({
      startup: {
        user: 'fuzz',
        database: undefined,
        settings: [],
        replication: undefined,
        minor: 0,
        protocolOptions: [],
      },
      database: 'fuzz',
      credential: { user: 'fuzz', password: undefined },
      cancelKey: { pid: 1, secret: new Uint8Array(4) },
      crypto: authenticationCrypto,
      limits: { statementBytes: 64 << 10, rowBytes: 256 << 10 },
      sql: sqlReader,
      readsSql: () => true,
      masks: () => masks,
      nowMs: () => 0,
    });
    this.#run(this.#session.start(new Uint8Array(0)));
    const encoding = message('S', Buffer.concat([cstring('client_encoding'), cstring('UTF8')]));
    this.receive('upstream', Buffer.concat([message('R', i32(0)), encoding, message('K', Buffer.alloc(8)), ready()]));
    for (const side of [this.seen.client, this.seen.upstream, this.seen.records]) side.length = 0;
  }

  receive(from: Side, bytes: Uint8Array): void {
    this.#run(this.#session.receive(from, bytes));
  }

  end(from: Side): void {
    this.#run(this.#session.end(from));
  }

  #run(steps: readonly Step[]): void {
    for (const step of steps) {
      if (this.isClosed) throw new Error(`a step came after the session was closed: ${step.kind}`);
      if (step.kind === 'send') this.seen[step.to].push(Buffer.from(step.bytes));
      else if (step.kind === 'record') this.seen.records.push(textIn(step.event));
      else if (step.kind === 'close') this.isClosed = true;
      else this.#run(this.#session.answer(step.ticket, this.#decide(step.question)));
    }
  }

  #decide(question: Question): { action: 'allow'; notices: [] } | { action: 'block'; message: string } {
    return this.allows(question) ? { action: 'allow', notices: [] } : { action: 'block', message: 'no' };
  }
}
