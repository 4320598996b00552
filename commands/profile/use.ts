import { Args } from '@oclif/core';
import { HoopCommand } from '../../src/cli/base-command.js';
import { useProfile } from '../../src/client/login/profile.js';

export default class ProfileUse extends HoopCommand {
  static override summary = 'Choose the profile that commands use where none is named';
  static override examples = ['<%= config.bin %> profile use staging'];
  static override args = { name: Args.string({ required: true, description: 'name of the profile' }) };

  async run(): Promise<void> {
    const { args } = await this.parse(ProfileUse);
    const used = useProfile(args.name, process.env);
    if (this.jsonEnabled()) return this.printJson(used);
    this.print(`Using ${this.colours.bold(used.name)}: ${this.colours.plain(used.agent)}`);
    const before = ['HOOP_PROFILE', 'HOOP_AGENT_URL'].find((name) => (process.env[name] ?? '') !== '');
    if (before !== undefined) this.say(`${before} is set and goes before it.`);
  }
}
