import { Args, Flags } from '@oclif/core';
import { DecideCommand } from '../src/cli/decide-command.js';
import { HoopError } from '../src/core/errors.js';

export default class Deny extends DecideCommand {
  static override summary = 'Deny a held statement or a request for access';
  static override description =
    'Without REQUEST: in a terminal the screen of approve, with what waits for you; elsewhere an error. What went ahead under break-glass is objected to, and what it left behind ends.';
  static override examples = ['<%= config.bin %> deny 019abcde-0000-7000-8000-000000000000 --reason "wrong table"'];
  static override args = { request: Args.string({ description: 'id of the request' }) };
  static override flags = {
    reason: Flags.string({ description: 'why; told to the requester and recorded', helpValue: 'TEXT' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Deny);
    if (args.request === undefined && this.canDecideOnScreen()) await this.decideOnScreen({ deny: flags.reason });
    else await this.decide('deny', args.request ?? this.#inTerminal(), flags.reason);
  }

  /** Only a terminal can be asked which one. @throws HoopError `usage` elsewhere */
  #inTerminal(): undefined {
    if (!this.jsonEnabled() && process.stdin.isTTY && process.stdout.isTTY) return undefined;
    throw new HoopError('usage', 'no request was named', {
      why: 'without a terminal nobody can be asked which one',
      suggestion: 'name one of those that `hoop requests` lists: hoop deny REQUEST --reason TEXT',
    });
  }
}
