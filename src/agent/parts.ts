import type { Approvals } from '../approvals/approvals.js';
import type { Archive } from '../archive/archive.js';
import type { RecordingKey } from '../recording/keys.js';
import type { Recordings } from '../recording/recordings.js';
import type { Sinks } from '../sinks/sinks.js';
import type { Store } from '../store/store.js';
import type { LiveResources } from './resources/live-resources.js';
import type { AgentLog } from './log.js';
import type { NoticeBoard } from './notices.js';
import type { AgentSecrets } from './credentials/open-secrets.js';
import type { systemClock } from './system-clock.js';
import type { Tracing } from './tracing/open-tracing.js';

/** What the agent is put together from, once everything is open. */
export interface Parts {
  readonly live: LiveResources;
  readonly store: Store;
  readonly recordings: Recordings;
  /** Sessions that a crash had left open, sealed by this start. */
  readonly recovered: readonly string[];
  readonly approvals: Approvals;
  readonly key: RecordingKey;
  readonly clock: ReturnType<typeof systemClock>;
  readonly secrets: AgentSecrets;
  readonly newId: () => string;
  readonly log: AgentLog;
  readonly notices: NoticeBoard;
  readonly sinks: Sinks;
  /** Where recordings are copied to; undefined where that is nowhere. */
  readonly archive: Archive | undefined;
  /** Absent: nothing is traced. */
  readonly tracing: Tracing | undefined;
}
