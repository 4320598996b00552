import pg from 'pg';
import { HoopError } from '../../core/errors.js';
import { escapeControls } from '../../core/display.js';
import type { TunnelClient } from '../../tunnel/dial.js';
import { ApprovalWait } from './approval-wait.js';
import type { CopyRows } from './copy-in.js';
import type { PacedOutput } from './paced-output.js';
import type { ResultWriter } from './result-writer.js';
import type { Script } from './script.js';
import { sqlFailure } from './sql-error.js';
import type { StatementText } from './statement-splitter.js';
import { type AnswerHandler, StatementRun } from './statement-run.js';
import { StreamSocket } from '../../tunnel/stream-socket.js';

export interface ScriptOptions {
  readonly tunnel: TunnelClient;
  readonly script: Script;
  /** Its first statement, which was read to see whether there is one. */
  readonly first: StatementText;
  /** Rows for `COPY … FROM STDIN` that do not stand in the script. */
  readonly copyRows?: CopyRows | undefined;
  readonly user: string;
  readonly database: string;
  /** All or nothing: BEGIN before, COMMIT after; the first error undoes everything. */
  readonly singleTransaction: boolean;
  /** Longest wait for one approval, in ms; the agent's own bound where absent. */
  readonly waitMs?: number;
  readonly writer: ResultWriter;
  readonly output: PacedOutput;
  /** Takes a line for people: notices, command tags. Escaped already. */
  readonly say: (line: string) => void;
}

/**
 * Runs the statements one after the other on one session and prints what they answer as it comes;
 * the first error ends it.
 *
 * @throws HoopError sql, blocked, approval_denied, approval_timeout, unreachable
 */
export async function runScript(options: ScriptOptions): Promise<void> {
  const socket = new StreamSocket(options.tunnel.openStream());
  const client = new pg.Client({
    stream: () => socket,
    ssl: false,
    user: options.user,
    database: options.database,
    // The agent asks for none. Were one asked for, PGPASSWORD and the password file stay unread.
    password: () => '',
    client_encoding: 'UTF8',
    application_name: 'hoop exec',
  });
  // A loss between statements: the next statement fails with it.
  client.on('error', () => undefined);
  client.on('notice', (notice) => {
    for (const line of noticeLines(notice.severity ?? 'NOTICE', notice.message ?? '')) options.say(line);
  });
  options.output.onHold((held) => {
    if (held) socket.pause();
    else socket.resume();
  });
  const wait = new ApprovalWait(options.tunnel, options.waitMs, () => socket.destroy());
  try {
    await runAll(client, options);
  } catch (error) {
    throw wait.timeout ?? error;
  } finally {
    wait.stop();
    options.writer.finish();
    await options.output.finish();
    socket.resume();
    await client.end().catch(() => undefined);
  }
}

/** A notice as psql shows it; what follows its first line is set in, so that no line of it passes for another message. */
function noticeLines(severity: string, message: string): readonly string[] {
  const head = `${escapeControls(severity)}:  `;
  const lines = message.split('\n').map((line) => escapeControls(line));
  return lines.map((line, index) => `${index === 0 ? head : ' '.repeat(head.length)}${line}`);
}

async function runAll(client: pg.Client, options: ScriptOptions): Promise<void> {
  await client.connect().catch((error: unknown) => {
    throw sqlFailure(error);
  });
  const silent: AnswerHandler = {
    columns: () => undefined,
    row: () => undefined,
    copyData: () => undefined,
    copyRows: () => options.script.copyData(),
    complete: () => undefined,
  };
  const own = (text: string, handler: AnswerHandler = silent): Promise<void> =>
    client.query(new StatementRun(text, handler)).done.catch((error: unknown) => {
      throw sqlFailure(error);
    });
  if (options.singleTransaction) await own('BEGIN');
  let statement: StatementText | undefined = options.first;
  for (; statement !== undefined; statement = await options.script.next()) {
    const running: StatementText = statement;
    await client.query(new StatementRun(running.text, printing(options))).done.catch((error: unknown) => {
      throw sqlFailure(error, running);
    });
  }
  if (options.singleTransaction) await own('COMMIT', { ...silent, complete: requireCommit });
}

/** The server answers ROLLBACK to the COMMIT of a transaction that has failed. */
function requireCommit(tag: string): void {
  if (tag !== 'COMMIT')
    throw new HoopError('sql', 'the transaction was rolled back, not committed', { why: `the server answered ${tag}` });
}

function printing({ writer, say, script, copyRows }: ScriptOptions): AnswerHandler {
  let open = false;
  return {
    columns: (columns) => {
      open = true;
      writer.begin(columns);
    },
    row: (values) => {
      writer.row(values);
    },
    copyData: (bytes) => {
      writer.copyData(bytes);
    },
    copyRows: () => copyRows ?? script.copyData(),
    complete: (tag) => {
      if (open) writer.end();
      else say(escapeControls(tag));
      open = false;
    },
  };
}
