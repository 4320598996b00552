import { HoopError } from '../../core/errors.js';
import { isId } from '../../core/ids.js';
import { ChainChecker } from './chain-checker.js';
import type { Break, BreakKind } from './chain-checker.js';
import { SignatureChecker } from '../keys.js';
import type { RecordingPublicKey } from '../keys.js';
import { splitLines } from '../reading/lines.js';

/** What someone else knows of a recording: the agent's index, or a signed checkpoint. */
export interface Anchor {
  readonly events: number;
  /** Hash of event number `events`. */
  readonly head: string;
  /** False: the agent says that the session is live, and the file may have grown since. */
  readonly sealed: boolean;
}

export interface VerifyOptions {
  /** Trusted keys: from the agent or a file named by the user, never from beside the recordings. Read once where many are verified. */
  readonly keys: readonly RecordingPublicKey[] | SignatureChecker;
  /** The session that the file's name or the request stands for. */
  readonly session?: string;
  /** `YYYY-MM-DD` of the folder the file lies in. */
  readonly date?: string;
  readonly anchor?: Anchor;
}

/** The agent crashed while the session was open, and its next start closed and sealed what was written. */
export interface CrashEnd {
  /** RFC 3339 UTC, of the last event before the crash. */
  readonly lastEventAt: string;
  /** RFC 3339 UTC, when the next start sealed it. */
  readonly sealedAt: string;
}

export type Verification =
  | {
      readonly ok: true;
      readonly session: string;
      readonly events: number;
      readonly head: string;
      readonly startedAt: string;
      /** Empty while live. */
      readonly keyId: string;
      readonly live: boolean;
      /** Absent where the session came to an end of its own. */
      readonly crash?: CrashEnd;
    }
  | ({ readonly ok: false; readonly session: string } & Break);

/**
 * Proves that one recording is whole: every event what its hash says, each chained to the one
 * before, the last a seal by a trusted key over all of it; and the session that its name says.
 *
 * Streams: holds one line (`MAX_LINE_BYTES`) at a time. Never throws for what the bytes say, only
 * for what reading them throws.
 */
export async function verifyRecording(
  chunks: AsyncIterable<Uint8Array>,
  options: VerifyOptions,
): Promise<Verification> {
  const { keys } = options;
  const checker = new ChainChecker(keys instanceof SignatureChecker ? keys : new SignatureChecker(keys));
  const facts = { session: '', startedAt: '', anchored: true, lastAt: '', crash: undefined as CrashEnd | undefined };
  let firstBreak: Break | undefined;
  let tornTail = false;
  let unpacking: Break | undefined;
  for await (const lines of splitLines(unpacked(chunks, (message) => (unpacking = unpackBreak(checker, message))))) {
    if (checker.settled) break;
    for (const line of lines) {
      if (!line.ended && options.anchor?.sealed === false && checker.found === undefined) {
        tornTail = true; // a live file may be read in the middle of a write
        continue;
      }
      const event = checker.push(line);
      if (event === undefined) continue;
      if (event.seq === 1) {
        facts.startedAt = event.at;
        facts.session = typeof event['session'] === 'string' ? event['session'] : '';
        firstBreak ??= placeBreak(facts, options);
      }
      if (event.type === 'session.end' && event['reason'] === 'crash')
        facts.crash = { lastEventAt: facts.lastAt, sealedAt: event.at };
      facts.lastAt = event.at;
      if (options.anchor !== undefined && event.seq === options.anchor.events) {
        facts.anchored = event.hash === options.anchor.head;
      }
    }
  }
  const found = firstBreak ?? checker.found ?? unpacking ?? endBreak(checker, options.anchor, facts.anchored, tornTail);
  if (found !== undefined) return { ok: false, session: options.session ?? facts.session, ...found };
  const { events, head, keyId, sealed } = checker;
  const { session, startedAt, crash } = facts;
  const ended = sealed && crash !== undefined ? { crash } : {};
  return { ok: true, session, startedAt, events, head, keyId, live: !sealed, ...ended };
}

/** The chunks up to where a compressed file is none; that is told, and no error. */
async function* unpacked(
  chunks: AsyncIterable<Uint8Array>,
  onBroken: (message: string) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    if (!(error instanceof HoopError) || error.code !== 'verify_failed') throw error;
    onBroken(error.message);
  }
}

function unpackBreak({ events, sealed }: ChainChecker, message: string): Break {
  const kind = sealed ? 'added' : message.endsWith('cut off') ? 'truncated' : 'changed';
  return { kind, seq: events + 1, line: events + 1, message };
}

function placeBreak(facts: { session: string; startedAt: string }, options: VerifyOptions): Break | undefined {
  const broken = (kind: BreakKind, message: string): Break => ({ kind, seq: 1, line: 1, message });
  if (!isId(facts.session)) return broken('changed', 'the start names no session');
  if (options.session !== undefined && facts.session !== options.session) {
    return broken('wrong-session', 'the recording is of another session than its name says');
  }
  if (options.date !== undefined && facts.startedAt.slice(0, 10) !== options.date) {
    return broken('misplaced', 'the session did not start on the day of this folder');
  }
  return undefined;
}

function endBreak(
  checker: ChainChecker,
  anchor: Anchor | undefined,
  anchored: boolean,
  torn: boolean,
): Break | undefined {
  const broken = (kind: BreakKind, message: string, seq = checker.events + 1): Break => ({
    kind,
    seq,
    line: seq,
    message,
  });
  if (checker.events === 0 && !torn) return broken('empty', 'the file holds no event', 0);
  if (anchor !== undefined && checker.events < anchor.events) {
    return broken('truncated', `the file ends after event ${checker.events}, ${anchor.events} were recorded`);
  }
  if (anchor !== undefined && (!anchored || (anchor.sealed && checker.events > anchor.events))) {
    return broken('changed', 'the recording is not the one that was listed', anchor.events);
  }
  if (!checker.sealed && anchor?.sealed !== false) {
    return broken('unsealed', 'the file ends without a seal: still live, left by a crash, or cut off');
  }
  return undefined;
}
