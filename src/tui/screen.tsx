import chalk from 'chalk';
import { render, useStdout } from 'ink';
import { useEffect, useState, type ReactNode } from 'react';
import { CLEAR, type Streams, takeTerminal } from './terminal.js';

export interface ScreenOptions {
  /** Over the whole terminal, which comes back as it was; otherwise below what is there. */
  readonly alternate: boolean;
  readonly colours: boolean;
  readonly streams?: Streams;
}

/** Of two changes close together the second is drawn after at most 1/60 s: a request that comes just then is not kept waiting. */
const MAX_FPS = 60;

export interface Screen {
  /** Settles once the terminal is given back; rejects with what broke while drawing. */
  readonly closed: Promise<void>;
  close(): void;
}

/**
 * Opens a screen; `canDraw` says whether there can be one.
 *
 * @param draw the root of the screen; `close` ends it
 */
export function openScreen(draw: (close: () => void) => ReactNode, options: ScreenOptions): Screen {
  const streams = options.streams ?? process;
  // Ink styles with this very instance. Its own guess stands unless colours were refused.
  if (!options.colours) chalk.level = 0;
  const terminal = takeTerminal(streams, { alternate: options.alternate, onSignal: () => instance.unmount() });
  // After a resize the terminal has moved rows in ways that nobody can count: begin anew, before Ink draws.
  const clear = (): void => {
    streams.stdout.write(CLEAR);
  };
  if (options.alternate) streams.stdout.on('resize', clear);
  const close = (): void => instance.unmount();
  const instance = render(<>{draw(close)}</>, { ...streams, exitOnCtrlC: false, patchConsole: true, maxFps: MAX_FPS });
  const closed = instance.waitUntilExit().then(
    () => finish(),
    (error: unknown) => {
      finish();
      throw error;
    },
  );
  const finish = (): void => {
    streams.stdout.off('resize', clear);
    terminal.restore();
  };
  return { closed, close };
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const USUAL: Size = { columns: 80, rows: 24 };

/** The size of the terminal, anew at each resize. Draw one row less than there are: a full last row makes Ink start over. */
export function useSize(): Size {
  const { stdout } = useStdout();
  const [size, setSize] = useState(() => sizeOf(stdout));
  useEffect(() => {
    const resized = (): void => setSize(sizeOf(stdout));
    stdout.on('resize', resized);
    return () => {
      stdout.off('resize', resized);
    };
  }, [stdout]);
  return size;
}

function sizeOf(stdout: NodeJS.WriteStream): Size {
  // Undefined or 0 where the terminal does not tell, whatever the types say.
  const { columns, rows } = stdout as Partial<Size>;
  return { columns: columns || USUAL.columns, rows: rows || USUAL.rows };
}
