import { Args, Flags } from '@oclif/core';
import { HoopCommand } from '../../src/cli/base-command.js';
import { explain } from '../../src/cli/policy/explain.js';
import { explanationText } from '../../src/cli/policy/explain-text.js';
import { givenUser, givenInput } from '../../src/cli/policy/explain-flags.js';
import { loadPolicies } from '../../src/cli/policy/load-policies.js';
import { instantOf } from '../../src/client/instant.js';

export default class PolicyExplain extends HoopCommand {
  static override summary = 'Say which rules and masks one statement or request meets, and why';
  static override description =
    'Reads the files, not an agent, and runs nothing. Of each rule it shows the part of the condition that decided and the facts that it read. Views and functions are followed where a *.test.yaml describes the database of the connection.';
  static override examples = [
    "<%= config.bin %> policy explain postgres -i 'DELETE FROM customers' --config ./policies --as ann@example.com --groups engineering",
    '<%= config.bin %> policy explain openai -f request.json --config ./policies',
    '<%= config.bin %> policy explain crm -i \'POST /orders {"amount":5}\' --json',
  ];
  static override args = { connection: Args.string({ name: 'CONNECTION', required: true }) };
  static override flags = {
    input: Flags.string({ char: 'i', description: 'the statement or request', helpValue: 'TEXT', exclusive: ['file'] }),
    file: Flags.string({ char: 'f', description: 'file with it; - is standard input', helpValue: 'FILE' }),
    config: Flags.string({ description: 'folder or file of the resources', helpValue: 'DIR', default: '.' }),
    as: Flags.string({ description: 'who asks: e-mail address or subject', helpValue: 'USER' }),
    groups: Flags.string({ description: 'groups of the caller', helpValue: 'A,B' }),
    attribute: Flags.string({
      description: 'claim of the caller; repeatable',
      helpValue: 'NAME=VALUE',
      multiple: true,
    }),
    from: Flags.string({ description: 'address that the caller comes from', helpValue: 'IP' }),
    at: Flags.string({ description: 'when; left out, now', helpValue: 'TIME' }),
    type: Flags.string({ description: 'of a connection that the files do not have', helpValue: 'TYPE' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PolicyExplain);
    const input = await givenInput(flags);
    const { resources, tests } = await loadPolicies(flags.config, process.env);
    const explanation = await explain(resources, tests, {
      connection: args.connection,
      input,
      user: givenUser(flags),
      at: flags.at === undefined ? undefined : instantOf(flags.at, Date.now()),
      from: flags.from,
      type: flags.type,
    });
    if (this.jsonEnabled()) this.printJson(explanation);
    else this.print(explanationText(explanation, this.colours));
  }
}
