import { setTimeout as delay } from 'node:timers/promises';
import type { Terminal } from '../../test/support/terminal.js';

/** A slow machine starts hoop in so long. */
export const PATIENCE_S = 60;
/** The screen takes no `y` that comes sooner than anybody reads. */
export const READING_MS = 1_000;

/** Presses `y` once the question stands there, as a person who has read it. */
export async function confirm(reviewer: Terminal): Promise<void> {
  await reviewer.shows(/approve this of/, PATIENCE_S);
  await delay(READING_MS);
  reviewer.type('y');
}
