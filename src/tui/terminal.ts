/** What a screen needs of the process; tests pass their own. */
export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/**
 * Can a screen be drawn? All three are terminals, the terminal can move its cursor, and this is no CI job: Ink draws
 * nothing there. This file loads nothing, so that a command may ask before it loads Ink.
 */
export function canDraw(
  streams: Pick<Streams, 'stdin' | 'stdout' | 'stderr'> = process,
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  const terminals = streams.stdin.isTTY && streams.stdout.isTTY && streams.stderr.isTTY;
  return terminals && env['TERM'] !== 'dumb' && !isCi(env);
}

/** The same question that Ink asks, by `is-in-ci`. */
function isCi(env: Readonly<Record<string, string | undefined>>): boolean {
  const { CI: ci } = env;
  if (ci === '0' || ci === 'false') return false;
  return ci !== undefined || 'CONTINUOUS_INTEGRATION' in env || Object.keys(env).some((name) => name.startsWith('CI_'));
}

/**
 * Loads a screen, with React as it is built for use: what it checks for its developers takes longer than the drawing. Only
 * while it is loaded, so that programs which are started from here know nothing of it.
 */
export async function loadScreen<Screen>(load: () => Promise<Screen>): Promise<Screen> {
  const { NODE_ENV: before } = process.env;
  process.env['NODE_ENV'] = 'production';
  try {
    return await load();
  } finally {
    if (before === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = before;
  }
}

/** Alternate screen (DECSET 1049) and marked pastes (2004); the cursor is Ink's to hide, and ours to show again. */
const ENTER = { alternate: '\u001b[?1049h\u001b[2J\u001b[H', pastes: '\u001b[?2004h' };
const LEAVE = { alternate: '\u001b[?1049l', pastes: '\u001b[?2004l', cursor: '\u001b[?25h' };

export const CLEAR = '\u001b[2J\u001b[H';

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type EndingSignal = (typeof ENDING)[number];

export interface TakenTerminal {
  /** Gives the terminal back as it was. Does it once, however often and from wherever it is called. */
  restore(): void;
}

/**
 * Takes the terminal for a screen, and makes sure that it is given back: at the end, at a signal, at a crash.
 *
 * @param onSignal ends the screen in good order. Where nobody else listens for the signal, the process then ends by it,
 *   as it would have without a screen.
 * @see https://invisible-island.net/xterm/ctlseqs/ctlseqs.html#h3-Functions-using-CSI-_-ordered-by-the-final-character_s_
 */
export function takeTerminal(
  { stdin, stdout }: Pick<Streams, 'stdin' | 'stdout'>,
  options: { readonly alternate: boolean; readonly onSignal: (signal: EndingSignal) => void },
): TakenTerminal {
  let taken = true;
  const restore = (): void => {
    if (!taken) return;
    taken = false;
    process.off('exit', restore);
    process.off('uncaughtExceptionMonitor', restore);
    for (const [signal, listener] of listeners) process.off(signal, listener);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdout.write(`${LEAVE.pastes}${options.alternate ? LEAVE.alternate : ''}${LEAVE.cursor}`);
  };
  const listeners = ENDING.map((signal) => {
    const listener = (): void => {
      options.onSignal(signal);
      restore();
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    };
    return [signal, listener] as const;
  });
  // Before Node prints what went wrong: printed into the alternate screen, nobody would ever read it.
  process.on('uncaughtExceptionMonitor', restore);
  process.on('exit', restore);
  for (const [signal, listener] of listeners) process.on(signal, listener);
  stdout.write(`${options.alternate ? ENTER.alternate : ''}${ENTER.pastes}`);
  return { restore };
}
