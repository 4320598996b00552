import { join } from 'node:path';

import type { ReplayPlayback } from '../../core/replay-frame.js';
import { configFolder } from '../login/profile.js';
import { openReplayLog } from './replay-log.js';
import type { EntryOptions, ReplayTarget } from './replay-entries.js';
import type { ReplayWish } from './replay-flags.js';
import { Playback } from './replay-playback.js';

export interface PlayRequest extends EntryOptions, Pick<ReplayWish, 'speed' | 'idleLimitMs' | 'grep'> {
  readonly target: ReplayTarget;
  /** Draws what the player shows; settles when the reader quits. */
  readonly draw: (playback: ReplayPlayback) => Promise<void>;
}

/**
 * Plays a recording on a screen, from its start, or from the first place that `grep` finds.
 *
 * @throws HoopError where it can't be read
 */
export async function playReplay(request: PlayRequest): Promise<void> {
  const { target, draw, speed, idleLimitMs, grep } = request;
  const cacheFolder = join(configFolder(process.env), 'replay-index');
  // A session that is not there, or not the caller's, is told before the terminal is taken.
  const opened = await openReplayLog(target, { ...request, cacheFolder });
  await firstRead(opened.log, opened.done);
  const playback = new Playback(opened, {
    speed,
    idleLimitMs,
    follow: request.follow,
    pattern: grep,
    now: () => performance.now(),
    after: (ms, call) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
  });
  try {
    await draw(playback);
  } finally {
    playback.close();
    await playback.settled();
    await opened.close();
  }
}

/** Waits until there is something to show, or until it is known that there is nothing. */
async function firstRead(log: { readonly length: number }, done: Promise<void>): Promise<void> {
  let over = false;
  const ended = done.finally(() => (over = true));
  // Told here while this waits, and by the player after that.
  ended.catch(() => undefined);
  while (log.length === 0 && !over) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 20))]);
  }
}
