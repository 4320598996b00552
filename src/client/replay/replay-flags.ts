import { parseDuration } from '../../core/duration.js';
import { HoopError } from '../../core/errors.js';
import { compilePattern } from '../../recording/replay/pattern.js';
import type { Pattern } from '../../recording/replay/pattern.js';
import type { ReplayFormat } from './replay.js';

const FORMATS: readonly string[] = ['text', 'json', 'asciicast', 'html'] satisfies ReplayFormat[];
const MAX_SPEED = 1000;

/** The flags of `hoop replay` as they were given. */
export interface ReplayFlags {
  readonly format?: string | undefined;
  readonly sql?: boolean;
  readonly speed?: string | undefined;
  readonly 'idle-limit'?: string | undefined;
  readonly 'no-timing'?: boolean;
  readonly follow?: boolean;
  readonly grep?: string | undefined;
  readonly 'correlation-id'?: string | undefined;
}

export interface ReplayWish {
  /** Undefined: nothing was asked for, so that a terminal gets the player and anything else text. */
  readonly format: ReplayFormat | undefined;
  readonly follow: boolean;
  readonly grep: Pattern | undefined;
  readonly speed: number;
  readonly idleLimitMs: number | undefined;
  /** Was a pace asked for? */
  readonly timed: boolean;
}

/**
 * What the flags ask for.
 *
 * @throws HoopError `usage` for a value that is none, and for flags that exclude each other
 */
export function replayWish(flags: ReplayFlags, json: boolean): ReplayWish {
  const { sql = false, follow = false } = flags;
  const idleLimit = flags['idle-limit'];
  const untimed = flags['no-timing'] === true;
  const timed = flags.speed !== undefined || idleLimit !== undefined;
  const format = json ? 'json' : (flags.format ?? (sql ? 'sql' : undefined));
  if (format !== undefined && format !== 'sql' && !FORMATS.includes(format)) {
    throw new HoopError('usage', 'format is not text, json, asciicast or html');
  }
  if (sql && format !== 'sql') throw new HoopError('usage', '--sql is a format of its own; leave the other one out');
  if (untimed && timed) throw new HoopError('usage', '--no-timing leaves nothing to --speed and --idle-limit');
  if (follow && flags['correlation-id'] !== undefined) {
    throw new HoopError('usage', '--follow takes one session', { suggestion: 'name the live one by its id' });
  }
  return {
    format: (format ?? (untimed ? 'text' : undefined)) as ReplayFormat | undefined,
    follow,
    grep: flags.grep === undefined ? undefined : compilePattern(flags.grep),
    speed: speedOf(flags.speed ?? '1'),
    idleLimitMs: idleLimit === undefined ? undefined : durationOf(idleLimit),
    timed,
  };
}

function speedOf(text: string): number {
  const speed = /^\d{1,4}(\.\d{1,3})?x?$/.test(text) ? Number.parseFloat(text) : 0;
  if (speed > 0 && speed <= MAX_SPEED) return speed;
  throw new HoopError('usage', 'the speed is not one', {
    suggestion: `write 2 for twice as fast, 0.5 for half; at most ${String(MAX_SPEED)}`,
  });
}

function durationOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new HoopError('usage', 'the idle limit is no duration', { suggestion: 'write it like 500ms, 2s or 1m' });
}
