import type { RecordedEvent, SessionEnd } from '../../core/events.js';

/** The recorder of one session, as fronts use it. */
export interface SessionRecorder {
  record(event: RecordedEvent): void;
  flush(): void | Promise<void>;
  seal(end: SessionEnd): Promise<void>;
}
