import { escapeControls } from '../core/display.js';

type Environment = Readonly<Record<string, string | undefined>>;

const BELL = '\u0007';
const MAX_CHARS = 120;

/** Terminals that show a notification for OSC 9: iTerm2's, taken over by these. */
const OSC_9 = new Set(['iTerm.app', 'WezTerm', 'ghostty']);
/** Terminals (by TERM) that show one for OSC 777: rxvt-unicode's, taken over by foot. */
const OSC_777 = /^(?:rxvt-unicode|foot)/;

/**
 * What makes the terminal show a desktop notification; elsewhere its bell. Title and text may be anybody's: nothing in
 * them can end the sequence or begin another.
 *
 * @see https://iterm2.com/documentation-escape-codes.html
 * @see https://codeberg.org/dnkl/foot/src/branch/master/doc/foot-ctlseqs.7.scd
 */
export function notificationFor(title: string, text: string, env: Environment): string {
  // A multiplexer keeps such sequences to itself, and marks the window for a bell.
  if (env['TMUX'] !== undefined || env['STY'] !== undefined) return BELL;
  const [shownTitle, shownText] = [quiet(title), quiet(text)];
  const terminal = env['TERM'] ?? '';
  if (OSC_9.has(env['TERM_PROGRAM'] ?? '') || terminal === 'xterm-kitty' || terminal === 'xterm-ghostty')
    return `\u001b]9;${shownTitle}: ${shownText}${BELL}`;
  if (OSC_777.test(terminal)) return `\u001b]777;notify;${shownTitle};${shownText}${BELL}`;
  return BELL;
}

/** A semicolon would begin the next field, and OSC 9 with a digit and one is another command. */
function quiet(text: string): string {
  return escapeControls(text).replaceAll(';', ',').slice(0, MAX_CHARS);
}
