import { createApprovals } from '../../src/approvals/approvals.js';
import type { ApprovalEvent, OpenInput } from '../../src/approvals/approvals.js';
import { uuidv7 } from '../../src/core/ids.js';
import type { Identity } from '../../src/core/identity.js';
import type { ApprovalFlowResource } from '../../src/core/resources.js';
import { MemoryRequestStore } from './memory-request-store.js';

/** A clock with timers that run when the test moves it. */
export class ManualTime {
  nowMs = Date.parse('2026-11-21T10:00:00Z');
  readonly #timers = new Map<number, { atMs: number; run: () => void }>();
  #next = 1;

  readonly clock = { nowMs: (): number => this.nowMs, timestamp: (): string => new Date(this.nowMs).toISOString() };

  readonly setTimer = (run: () => void, delayMs: number): number => {
    const id = this.#next;
    this.#next += 1;
    this.#timers.set(id, { atMs: this.nowMs + delayMs, run });
    return id;
  };

  readonly clearTimer = (id: number): void => {
    this.#timers.delete(id);
  };

  get pending(): number {
    return this.#timers.size;
  }

  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (;;) {
      const due = [...this.#timers]
        .filter(([, timer]) => timer.atMs <= untilMs)
        .sort(([, a], [, b]) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.nowMs = Math.max(this.nowMs, due[1].atMs);
      this.#timers.delete(due[0]);
      due[1].run();
    }
    this.nowMs = untilMs;
  }
}

export function person(subject: string, groups: readonly string[], more: Partial<Identity> = {}): Identity {
  return {
    subject,
    email: `${subject}@example.com`,
    groups,
    attributes: {},
    issuer: 'https://id.example.com',
    machine: false,
    mayReview: true,
    expiresAt: 2_000_000_000,
    ...more,
  };
}

export function flow(name: string, more: Partial<ApprovalFlowResource> = {}): ApprovalFlowResource {
  return {
    name,
    reviewers: [{ groups: ['dba'], count: 1 }],
    waitMs: 300_000,
    grant: { scope: 'statement', ttlMs: 600_000, unlimitedUses: false },
    selfApproval: false,
    ...more,
  };
}

export function heldStatement(requester: Identity, more: Partial<OpenInput> = {}): OpenInput {
  return {
    session: 'session-1',
    statement: 3,
    connection: 'postgres',
    connectionType: 'postgres',
    credential: 'hoop_app',
    requester,
    text: 'UPDATE payments SET amount = 1 WHERE id = 7',
    bindHash: 'aa',
    rules: [{ rule: 'production-sql/payments-writes', message: '' }],
    flows: ['dba-review'],
    reason: '',
    correlationId: '',
    ...more,
  };
}

/** Approvals on a memory store and manual time. */
export function desk(
  flows: readonly ApprovalFlowResource[] = [flow('dba-review')],
  onEvent: (event: ApprovalEvent) => void = () => undefined,
) {
  const store = new MemoryRequestStore();
  const time = new ManualTime();
  const events: ApprovalEvent[] = [];
  const configured = new Map(flows.map((one) => [one.name, one]));
  let count = 0;
  const approvals = createApprovals({
    store,
    flow: (name) => configured.get(name),
    clock: time.clock,
    newId: () => uuidv7(time.nowMs + (count += 1), new Uint8Array(10).fill(count % 256)),
    setTimer: time.setTimer,
    clearTimer: time.clearTimer,
    onEvent: (event) => {
      events.push(event);
      onEvent(event);
    },
  });
  return { approvals, store, time, events, configured };
}
