import { Args, Flags } from '@oclif/core';
import { DecideCommand } from '../src/cli/decide-command.js';

export default class Approve extends DecideCommand {
  static override summary = 'Approve a held statement or a request for access';
  static override description =
    'Without REQUEST: in a terminal a live screen to read, approve and deny what waits for you; elsewhere the list of it. What went ahead under break-glass is marked as reviewed.';
  static override examples = [
    '<%= config.bin %> approve',
    '<%= config.bin %> approve 019abcde-0000-7000-8000-000000000000 --reason "checked"',
  ];
  static override args = { request: Args.string({ description: 'id of the request' }) };
  static override flags = {
    reason: Flags.string({ description: 'why; goes into the record', helpValue: 'TEXT' }),
    duration: Flags.string({
      description:
        'for this long, e.g. 30m: access no longer than asked; a statement again and again, where its flow allows',
      helpValue: '30m',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Approve);
    if (args.request === undefined && this.canDecideOnScreen()) await this.decideOnScreen({ approve: flags.reason });
    else await this.decide('approve', args.request, flags.reason, flags.duration);
  }
}
