import { Args } from '@oclif/core';
import { HoopCommand } from '../../src/cli/base-command.js';
import { readSecretInput } from '../../src/cli/secret-input.js';
import type { SecretView } from '../../src/core/secret-view.js';

export default class SecretsSet extends HoopCommand {
  static override summary = 'Keep a value in the secret store of the agent';
  static override description =
    'The value comes from stdin, or is asked for at a terminal and not shown; it is never an argument, and is never printed. Connections use it as { secret: NAME }. For administrators.';
  static override examples = [
    '<%= config.bin %> secrets set pg-admin',
    '<%= config.bin %> secrets set openai-key < key.txt',
  ];
  static override args = { name: Args.string({ required: true, description: 'name of the secret' }) };

  async run(): Promise<void> {
    const { args } = await this.parse(SecretsSet);
    const value = await readSecretInput(`Value of ${this.messageColours.bold(args.name)} (not shown): `);
    const set = await this.agentApi().post<SecretView>('/v1/secrets/set', { name: args.name, value });
    if (this.jsonEnabled()) return this.printJson(set);
    this.print(`Set ${this.colours.bold(set.name)}, version ${String(set.version)}.`);
    if (set.connections.length === 0) this.say('No connection uses it yet: name it as { secret: NAME }.');
  }
}
