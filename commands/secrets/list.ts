import { HoopCommand } from '../../src/cli/base-command.js';
import { secretColumns } from '../../src/cli/secret-columns.js';
import type { SecretView } from '../../src/core/secret-view.js';

export default class SecretsList extends HoopCommand {
  static override summary = 'List the secrets of the agent: when they changed, who uses them; never their values';
  static override description = 'Also those that a connection names and nobody has set. For administrators.';
  static override examples = ['<%= config.bin %> secrets list', '<%= config.bin %> secrets list --json'];

  async run(): Promise<void> {
    await this.parse(SecretsList);
    const secrets = await this.agentApi().get<readonly SecretView[]>('/v1/secrets');
    this.printList(secrets, secretColumns, { empty: 'no secrets yet: `hoop secrets set NAME` keeps one' });
  }
}
