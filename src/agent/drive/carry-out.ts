import { concatBytes } from '../../core/bytes.js';
import type { RecordedEvent } from '../../core/events.js';
import type { Side, Step } from '../../protocols/contract.js';

/** What is neither bytes nor a result. */
export type OtherStep = Exclude<Step, { kind: 'send' } | { kind: 'record' }>;

export interface StepSink {
  /** The session is over: nothing more is carried out. */
  closed(): boolean;
  send(side: Side, bytes: Uint8Array): void;
  record(event: RecordedEvent): void;
  step(step: OtherStep): void;
}

/**
 * Carries steps out in order; bytes for one side leave together. Results come behind the bytes around them: the client
 * does not wait for what tells of them, and no hash is made before they have left.
 */
export function carryOut(steps: readonly Step[], sink: StepSink): void {
  let parts: Uint8Array[] = [];
  let side: Side | undefined;
  let results: RecordedEvent[] = [];
  const sendParts = (): void => {
    if (side !== undefined && parts.length > 0) sink.send(side, concatBytes(parts));
    parts = [];
  };
  const settle = (): void => {
    sendParts();
    for (const event of results) sink.record(event);
    results = [];
  };
  for (const step of steps) {
    if (sink.closed()) return;
    if (step.kind === 'send') {
      if (side !== step.to) sendParts();
      side = step.to;
      parts.push(step.bytes);
    } else if (step.kind === 'record') {
      results.push(step.event);
    } else {
      settle();
      sink.step(step);
    }
  }
  settle();
}
