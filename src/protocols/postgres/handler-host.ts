import type { Fault } from '../../core/errors.js';
import type { RecordedEvent } from '../../core/events.js';
import type { CopyFormat } from './copy/copy-format.js';
import type { ExpectedReplies } from './results/expected-replies.js';
import type { SessionMasks } from './masks.js';
import type { PreparedStatements } from './statements/prepared.js';
import type { ResultBounds } from './results/result-record.js';
import type { Run } from './statements/run.js';

/** What the handler needs of its session. */
export interface HandlerHost {
  readonly expected: ExpectedReplies;
  readonly prepared: PreparedStatements;
  masks(): SessionMasks;
  nowMs(): number;
  /** How much of a result is recorded. */
  readonly bounds: ResultBounds;
  record(event: RecordedEvent): void;
  parameter(name: string, value: string): void;
  /** An error came and no Sync is under way: the client's messages are skipped until one comes. */
  skipping(): void;
  /** The server became ready though no Sync was under way. */
  readyUnasked(): void;
  /** The server is ready: `I` with no transaction open, `T` in one, `E` in a failed one. */
  ready(status: string): void;
  /** The server waits for the client's COPY data. */
  copyIn(): void;
  /** A command is done. */
  completed(run: Run, tag: string, via: 'query' | 'execute'): void;
  copyFormat(run: Run): CopyFormat | undefined;
}

/** `undefined`: swallow; the message itself: pass; other bytes: send those; a fault: stop. */
export type Handled = Uint8Array | undefined | Fault;
