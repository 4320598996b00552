import { Args } from '@oclif/core';
import { HoopCommand } from '../../src/cli/base-command.js';
import type { SecretView } from '../../src/core/secret-view.js';

export default class SecretsRevoke extends HoopCommand {
  static override summary = 'Take a value away from the agent for good, and end the sessions that use it';
  static override description =
    'What it opened elsewhere is not closed there: change it at its source too. `hoop secrets set` gives the name a value again. For administrators.';
  static override examples = ['<%= config.bin %> secrets revoke openai-key'];
  static override args = { name: Args.string({ required: true, description: 'name of the secret' }) };

  async run(): Promise<void> {
    const { args } = await this.parse(SecretsRevoke);
    const revoked = await this.agentApi().post<SecretView & { readonly endedSessions: number }>('/v1/secrets/revoke', {
      name: args.name,
    });
    if (this.jsonEnabled()) return this.printJson(revoked);
    this.print(`Revoked ${this.colours.bold(revoked.name)}; sessions ended: ${String(revoked.endedSessions)}.`);
    if (revoked.connections.length > 0)
      this.say(this.messageColours.plain(`Without it no session starts on: ${revoked.connections.join(', ')}.`));
  }
}
