import { Args, Flags } from '@oclif/core';
import { DecideCommand } from '../src/cli/decide-command.js';

export default class Deny extends DecideCommand {
  static override summary = 'Deny a held statement or a request for access';
  static override description =
    'Without REQUEST: shows what waits for you, and in a terminal asks which one to deny. What went ahead under break-glass is objected to, and what it left behind ends.';
  static override examples = ['<%= config.bin %> deny 019abcde-0000-7000-8000-000000000000 --reason "wrong table"'];
  static override args = { request: Args.string({ description: 'id of the request' }) };
  static override flags = {
    reason: Flags.string({ description: 'why; told to the requester and recorded', helpValue: 'TEXT' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Deny);
    await this.decide('deny', args.request, flags.reason);
  }
}
