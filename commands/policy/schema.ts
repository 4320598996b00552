import { Args } from '@oclif/core';
import { HoopCommand } from '../../src/cli/base-command.js';
import { publishedSchema } from '../../src/cli/policy/published-schema.js';

export default class PolicySchema extends HoopCommand {
  static override summary = 'Print the JSON Schema of resource files, for editors';
  static override description =
    'Of one kind, or of all. With it an editor knows every key. For the YAML language server (VS Code, Neovim, …) save it beside the files, and begin them with: # yaml-language-server: $schema=./hoop.schema.json';
  static override examples = [
    '<%= config.bin %> policy schema > hoop.schema.json',
    '<%= config.bin %> policy schema Policy',
  ];
  static override args = {
    kind: Args.string({ name: 'KIND', description: 'such as Policy or Connection; left out, all' }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(PolicySchema);
    const schema = publishedSchema(args.kind);
    if (this.jsonEnabled()) this.printJson(schema);
    else this.print(JSON.stringify(schema, null, 2));
  }
}
