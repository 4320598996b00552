import { Args, Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { grantLine } from '../src/cli/grant-columns.js';
import type { GrantView } from '../src/core/approval.js';
import { HoopError } from '../src/core/errors.js';
import { isId } from '../src/core/ids.js';

export default class Revoke extends HoopCommand {
  static override summary = 'End a grant before its time';
  static override description =
    'Takes the id of a grant (`hoop requests --grants`), or of the request that it came from. The next statement under it is refused, and sessions that only it allowed are ended, within a second. For whoever has the grant, the reviewers of its request, and administrators.';
  static override examples = [
    '<%= config.bin %> revoke 019abcde-0000-7000-8000-000000000000 --reason "incident is over"',
  ];
  static override args = { grant: Args.string({ required: true, description: 'id of the grant or of its request' }) };
  static override flags = {
    reason: Flags.string({ description: 'why; told to the one who loses it, and recorded', helpValue: 'TEXT' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Revoke);
    if (!isId(args.grant))
      throw new HoopError('not_found', 'no such grant', {
        why: 'what was given is not an id',
        suggestion: '`hoop requests --grants` lists ids',
      });
    const ended = await this.agentApi().post<readonly GrantView[]>(`/v1/grants/${args.grant}/revoke`, {
      reason: flags.reason ?? '',
    });
    if (this.jsonEnabled()) this.printJson(ended);
    else for (const grant of ended) this.print(this.colours.plain(grantLine(grant)));
  }
}
