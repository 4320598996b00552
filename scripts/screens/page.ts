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

/** A screen as a block of text; ids and ports differ from run to run, and stay as they were. */
function block(screen: string): string {
  // The password of a port is worth nothing once the port is closed; it looks like a leaked one all the same.
  const shown = screen.replace(/(postgresql:\/\/\w+:)[\w-]+@/g, '$1…@');
  const rows = shown.split('\n').map((row) => row.trimEnd());
  while (rows.at(-1) === '') rows.pop();
  return ['```text', ...rows, '```'].join('\n');
}

export function page(title: string, intro: string, parts: readonly (readonly [string, string])[]): string {
  const made = 'Captured from real terminals by `npx tsx scripts/screens/capture.ts`.';
  return `${[`# ${title}`, `${intro} ${made}`, ...parts.flatMap(([text, screen]) => [text, block(screen)])].join('\n\n')}\n`;
}
