import { Flags } from '@oclif/core';
import { HoopCommand } from '../../src/cli/base-command.js';
import { readingColumns } from '../../src/cli/reading-columns.js';
import { listReadings } from '../../src/client/audit.js';
import { instantOf } from '../../src/client/instant.js';

export default class AuditReadings extends HoopCommand {
  static override summary = 'List who read which recording';
  static override description = 'Newest first. For auditors and administrators.';
  static override examples = ['<%= config.bin %> audit readings --since 7d --user dana@example.com'];
  static override flags = {
    session: Flags.string({ description: 'of this session', helpValue: 'SESSION' }),
    user: Flags.string({ description: 'by this subject or e-mail', helpValue: 'USER' }),
    since: Flags.string({ description: 'at or after: a time, a day, or how long ago (2h, 7d)', helpValue: 'TIME' }),
    until: Flags.string({ description: 'before', helpValue: 'TIME' }),
    limit: Flags.integer({ description: 'at most this many', default: 100, min: 1 }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AuditReadings);
    const { session, user, since, until, limit } = flags;
    const nowMs = Date.now();
    const moment = (text: string | undefined): string | undefined =>
      text === undefined ? undefined : instantOf(text, nowMs);
    const query = { session, user, since: moment(since), until: moment(until) };
    this.printList(await listReadings(this.agentApi(), query, limit), readingColumns, { empty: 'no readings' });
  }
}
