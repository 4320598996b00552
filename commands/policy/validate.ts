import { Args } from '@oclif/core';
import { HoopCommand } from '../../src/cli/base-command.js';
import { errorReport } from '../../src/cli/error-report.js';
import { faultsError, faultTexts, readPolicies } from '../../src/cli/policy/load-policies.js';

export default class PolicyValidate extends HoopCommand {
  static override summary = 'Check resource files without an agent';
  static override description =
    'Finds all that an agent’s start would refuse in the files, and faults of their tests, each with file, line and column. Needs no Agent or IdentityProvider. That secrets and certificates are there is for `hoop agent start --validate`, where they are.';
  static override examples = ['<%= config.bin %> policy validate ./policies', '<%= config.bin %> policy validate'];
  static override args = {
    dir: Args.string({ name: 'DIR', default: '.', description: 'folder or file' }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(PolicyValidate);
    const read = await readPolicies(args.dir, process.env);
    if ('faults' in read) {
      if (this.jsonEnabled()) {
        this.printJson({ valid: false, faults: read.faults, ...errorReport(faultsError(read.faults)) });
        return this.exit(1);
      }
      for (const text of await faultTexts(read.faults)) this.print(text);
      throw faultsError(read.faults);
    }
    const { resources, tests } = read;
    const counts = {
      policies: resources.policies.length,
      rules: tests.parts.filter(({ kind }) => kind === 'rule').length,
      masks: tests.parts.filter(({ kind }) => kind === 'mask').length,
      connections: resources.connections.length,
      tests: tests.cases.length,
    };
    if (this.jsonEnabled()) this.printJson({ valid: true, policyHash: resources.policySet.hash, ...counts });
    else
      this.print(
        `valid  ${Object.entries(counts)
          .map(([name, count]) => `${name} ${String(count)}`)
          .join(', ')}`,
      );
  }
}
