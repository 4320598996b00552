import type { Fault } from '../../../core/errors.js';
import type { ResultColumn } from './columns.js';
import type { Expected, ExpectedReplies } from './expected-replies.js';
import { SERVER } from '../wire/frames.js';
import type { PreparedStatements } from '../statements/prepared.js';

/** `undefined`: swallow; the message itself: pass; a fault: stop. */
type Acknowledged = Uint8Array | undefined | Fault;

interface Host {
  readonly expected: ExpectedReplies;
  readonly prepared: PreparedStatements;
}

export const outOfStep: Fault = { code: 'protocol', message: 'the server answered something that was not asked' };

const ACKNOWLEDGED = new Map<number, Expected['kind']>([
  [SERVER.parseComplete, 'parse'],
  [SERVER.bindComplete, 'bind'],
  [SERVER.closeComplete, 'close'],
]);

/** The answer to a Describe: the portal knows its columns from now on; one that we asked for stays here. */
export function described(
  host: Host,
  front: Extract<Expected, { kind: 'describe' }>,
  columns: readonly ResultColumn[] | 'none',
  message: Uint8Array,
): Acknowledged {
  host.expected.shift();
  if (front.portal !== undefined) front.portal.columns = columns;
  return front.injected ? undefined : message;
}

/** ParseComplete, BindComplete, CloseComplete, NoData, ParameterDescription, CopyDone. */
export function acknowledge(host: Host, type: number, message: Uint8Array): Acknowledged {
  if (type === SERVER.copyDone) return message;
  const front = host.expected.front();
  if (front?.kind === 'describe') {
    if (type === SERVER.parameterDescription) return front.injected ? undefined : message;
    if (type === SERVER.noData) return described(host, front, 'none', message);
  }
  const kind = ACKNOWLEDGED.get(type);
  if (kind === undefined || front?.kind !== kind) return outOfStep;
  host.expected.shift();
  if (front.kind === 'parse') {
    if (front.refused !== undefined) return outOfStep;
    if (front.candidate !== undefined) host.prepared.confirm(front.name, front.candidate);
  }
  if (front.kind === 'bind' && front.portal !== undefined) front.portal.opened = true;
  if (front.kind === 'close' && front.statement !== undefined) host.prepared.closed(front.statement, front.held);
  return 'injected' in front ? undefined : message;
}

/** The server has skipped this message: what it proposed is not held. */
export function dropped(prepared: PreparedStatements, item: Expected): void {
  // What was only to be parsed again may still be held as it was.
  if (item.kind === 'parse' && item.candidate !== undefined && item.injected !== true)
    prepared.withdraw(item.name, item.candidate);
  if (item.kind === 'bind' && item.portal !== undefined) item.portal.failed = true;
}
