import type { Check, CheckState } from '../client/doctor/check.js';
import type { Colours } from './colours.js';

/** Words rather than signs: they read the same in a log and to a screen reader. */
const WORDS: Readonly<Record<CheckState, string>> = { ok: 'ok', warning: 'warn', failed: 'FAIL', skipped: '-' };
const STATE_WIDTH = 6;
const ID_WIDTH = 15;

/** One line of what was found, and one of what to do where that is known. */
export function checkLines(check: Check, colours: Colours): string {
  const word = WORDS[check.state].padEnd(STATE_WIDTH);
  const found = `${coloured(check.state, word, colours)}${check.id.padEnd(ID_WIDTH)}${colours.plain(check.found)}`;
  if (check.suggestion === undefined) return found;
  return `${found}\n${' '.repeat(STATE_WIDTH + ID_WIDTH)}${colours.dim('do:')} ${colours.plain(check.suggestion)}`;
}

function coloured(state: CheckState, word: string, colours: Colours): string {
  switch (state) {
    case 'ok':
      return colours.green(word);
    case 'warning':
      return colours.yellow(word);
    case 'failed':
      return colours.red(word);
    case 'skipped':
      return colours.dim(word);
  }
}
