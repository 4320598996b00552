import { HoopCommand } from '../src/cli/base-command.js';
import type { ConnectionSummary } from '../src/core/connection-summary.js';

export default class Connections extends HoopCommand {
  static override summary = 'List the connections that you may use';
  static override aliases = ['ls'];
  static override examples = ['<%= config.bin %> connections', '<%= config.bin %> ls --json'];

  async run(): Promise<void> {
    await this.parse(Connections);
    const connections = await this.agentApi().get<readonly ConnectionSummary[]>('/v1/connections');
    this.printList(
      connections,
      [
        { header: 'name', value: ({ name }) => name, least: 16 },
        { header: 'type', value: ({ type }) => type },
        {
          header: 'access',
          value: ({ access, until }) => (until === undefined ? access : `${access} ${until.slice(0, 19)}Z`),
        },
        {
          header: 'labels',
          value: ({ labels }) =>
            Object.entries(labels)
              .map(([key, value]) => `${key}=${value}`)
              .join(', '),
          least: 10,
        },
      ],
      { empty: 'no connection is open to you' },
    );
  }
}
