import type { AgentApi } from '../client/agent-api.js';
import { type ConnectReport, jsonReport, plainReport } from '../client/connect/connect-report.js';
import { screenReport } from '../client/connect/connect-screen.js';
import { canDraw, loadScreen } from '../tui/terminal.js';
import { inForeground } from './foreground.js';

/** Where `hoop connect` tells what happens. */
export interface ConnectOutput {
  readonly report: ConnectReport;
  /** Resolves when a key asks to close the ports, or the screen is gone; undefined where only signals end it. */
  readonly stop: Promise<void> | undefined;
  /** Says something to people, where it does not disturb the rest. */
  readonly say: (text: string) => void;
  /** Gives the terminal back. */
  readonly close: () => Promise<void>;
}

export interface ConnectOutputOptions {
  readonly json: boolean;
  /** Lines instead of a screen: asked for, or stdout and the terminal are somebody else's. */
  readonly plain: boolean;
  readonly colours: boolean;
}

const toStderr = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** Lines of JSON for programs; for people a screen where the terminal can show one, else plain lines. */
export async function connectOutput(api: AgentApi, options: ConnectOutputOptions): Promise<ConnectOutput> {
  const { json, plain } = options;
  if (!json && !plain && canDraw() && inForeground()) return screenOutput(api, options);
  const report = json ? jsonReport((line) => process.stdout.write(`${line}\n`)) : plainReport(toStderr);
  return { report, stop: undefined, say: toStderr, close: () => Promise.resolve() };
}

/** The screen; it opens once the ports are open. */
async function screenOutput(api: AgentApi, { colours }: ConnectOutputOptions): Promise<ConnectOutput> {
  // Only where it draws: Ink takes a third of a second to load.
  const { openConnectScreen } = await loadScreen(() => import('../tui/connect/screen.js'));
  let opened: ReturnType<typeof openConnectScreen> | undefined;
  let quit = (): void => undefined;
  const stop = new Promise<void>((resolve) => {
    quit = resolve;
  });
  const report = screenReport(api, (opening) => {
    opened = openConnectScreen({ ...opening, colours, env: process.env, quit });
    opened.closed.then(quit, quit);
    return opened.screen;
  });
  return {
    report,
    stop,
    say: (text) => {
      if (opened === undefined) toStderr(text);
      else opened.screen.note(text);
    },
    close: async () => {
      report.stop();
      const closing = opened;
      opened = undefined;
      closing?.close();
      await closing?.closed;
    },
  };
}
