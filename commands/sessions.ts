import { Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { sessionColumns } from '../src/cli/session-columns.js';
import { listSessions } from '../src/client/recording-source.js';
import { instantOf } from '../src/client/instant.js';
import type { SessionSummary } from '../src/core/session-summary.js';

export default class Sessions extends HoopCommand {
  static override summary = 'List and search recorded sessions';
  static override examples = [
    '<%= config.bin %> sessions --user ann@example.com --since 2h',
    '<%= config.bin %> sessions --blocked --text "delete customers"',
  ];
  static override flags = {
    user: Flags.string({ description: 'subject or e-mail', helpValue: 'USER' }),
    connection: Flags.string({ description: 'name of the connection', helpValue: 'NAME' }),
    since: Flags.string({
      description: 'started at or after: a time, a day, or how long ago (2h, 7d)',
      helpValue: 'TIME',
    }),
    until: Flags.string({ description: 'started before', helpValue: 'TIME' }),
    blocked: Flags.boolean({ description: 'only sessions in which something was blocked' }),
    text: Flags.string({ description: 'words of one statement', helpValue: 'WORDS' }),
    'correlation-id': Flags.string({ description: 'id that joins the sessions of one run', helpValue: 'ID' }),
    limit: Flags.integer({ description: 'at most this many, newest first', default: 100, min: 1 }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Sessions);
    const { user, connection, blocked, text, limit } = flags;
    const nowMs = Date.now();
    const query = {
      user,
      connection,
      since: flags.since === undefined ? undefined : instantOf(flags.since, nowMs),
      until: flags.until === undefined ? undefined : instantOf(flags.until, nowMs),
      blocked,
      text,
      correlationId: flags['correlation-id'],
    };
    const sessions: SessionSummary[] = [];
    for await (const session of listSessions(this.agentApi(), query, limit)) sessions.push(session);
    this.printList(sessions, sessionColumns, { empty: 'no sessions' });
  }
}
