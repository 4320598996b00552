import { Args } from '@oclif/core';
import { HoopCommand } from '../../src/cli/base-command.js';
import type { SecretView } from '../../src/core/secret-view.js';

export default class SecretsRotate extends HoopCommand {
  static override summary = 'Give the database role of a stored password another one, now';
  static override description =
    'The agent makes the new password, changes the role’s, logs in with it, and only then drops the old one. Sessions under way go on. For administrators.';
  static override examples = ['<%= config.bin %> secrets rotate pg-admin'];
  static override args = { name: Args.string({ required: true, description: 'name of the secret' }) };

  async run(): Promise<void> {
    const { args } = await this.parse(SecretsRotate);
    const rotated = await this.agentApi().post<SecretView>('/v1/secrets/rotate', { name: args.name });
    if (this.jsonEnabled()) return this.printJson(rotated);
    this.print(`Rotated ${this.colours.bold(rotated.name)}, now version ${String(rotated.version)}.`);
  }
}
