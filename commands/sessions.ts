import { Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { chosenColumns, SESSION_COLUMN_NAMES, sessionColumns } from '../src/cli/session-columns.js';
import { sessionFilters, someSessions } from '../src/client/recordings/recording-source.js';
import { instantOf } from '../src/client/instant.js';

export default class Sessions extends HoopCommand {
  static override summary = 'List and search recorded sessions';
  static override description =
    'Newest first; of several filters all must hold. You see your own sessions, auditors and administrators all.';
  static override examples = [
    '<%= config.bin %> sessions --user ann@example.com --since 2h',
    '<%= config.bin %> sessions --blocked --text "delete customers"',
    '<%= config.bin %> sessions --table customers --entity email --since 7d --columns session,user,title',
  ];
  static override flags = {
    user: Flags.string({ description: 'subject or e-mail', helpValue: 'USER' }),
    group: Flags.string({ description: 'a group that the user was in', helpValue: 'GROUP' }),
    connection: Flags.string({ description: 'name of the connection', helpValue: 'NAME' }),
    since: Flags.string({
      description: 'started at or after: a time, a day, or how long ago (2h, 7d)',
      helpValue: 'TIME',
    }),
    until: Flags.string({ description: 'started before', helpValue: 'TIME' }),
    blocked: Flags.boolean({ description: 'only sessions in which something was blocked' }),
    verdict: Flags.string({
      description: 'only sessions with a statement of this verdict; would-…: of a policy that observes',
      options: ['allow', 'warn', 'block', 'approve', 'would-warn', 'would-block', 'would-approve'],
    }),
    rule: Flags.string({ description: 'a rule that was met', helpValue: '[POLICY/]RULE' }),
    table: Flags.string({ description: 'a table that was read or written', helpValue: '[SCHEMA.]TABLE' }),
    entity: Flags.string({ description: 'an entity or mask that replaced a value', helpValue: 'NAME' }),
    approval: Flags.string({ description: 'id of a request for approval', helpValue: 'REQUEST' }),
    text: Flags.string({ description: 'words of one statement or prompt', helpValue: 'WORDS' }),
    'correlation-id': Flags.string({ description: 'id that joins the sessions of one run', helpValue: 'ID' }),
    columns: Flags.string({ description: `of ${SESSION_COLUMN_NAMES.join(', ')}`, helpValue: 'NAMES' }),
    limit: Flags.integer({ description: 'at most this many', default: 100, min: 1, exclusive: ['all'] }),
    cursor: Flags.string({ description: 'go on behind this session, the last of a list before', helpValue: 'SESSION' }),
    all: Flags.boolean({ description: 'every session, however many' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Sessions);
    const { limit, all, columns, since, until, 'correlation-id': correlationId } = flags;
    const chosen = columns === undefined ? sessionColumns : chosenColumns(columns);
    const nowMs = Date.now();
    const query = {
      ...sessionFilters(flags),
      correlationId,
      since: since === undefined ? undefined : instantOf(since, nowMs),
      until: until === undefined ? undefined : instantOf(until, nowMs),
    };
    const { items, more } = await someSessions(this.agentApi(), query, all ? Number.POSITIVE_INFINITY : limit);
    this.printList(items, chosen, { empty: 'no sessions', leftOut: '--columns names what to show' });
    if (more !== undefined && !this.jsonEnabled()) this.say(`there are more: --cursor ${more}, or --all`);
  }
}
