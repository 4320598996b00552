import { Args, Flags } from '@oclif/core';
import { HoopCommand } from '../../src/cli/base-command.js';
import { loadPolicies } from '../../src/cli/policy/load-policies.js';
import { runTests } from '../../src/cli/policy/run-tests.js';
import { TEST_FORMATS, testReport, testSummary, type TestFormat } from '../../src/cli/policy/test-report.js';
import { failureOf } from '../../src/cli/policy/test-result.js';

export default class PolicyTest extends HoopCommand {
  static override summary = 'Run the tests that policies bring along, and files of tests';
  static override description =
    'A policy’s own `tests` try that policy alone, as if it enforced; tests in *.test.yaml files try all policies of the folder together. Statements are read by PostgreSQL’s own grammar, requests as the agent reads them. Lists the rules and masks that no test reaches. Exits 1 where a test fails.';
  static override examples = [
    '<%= config.bin %> policy test ./policies',
    '<%= config.bin %> policy test ./policies --format junit > report.xml',
    '<%= config.bin %> policy test ./policies --coverage-required',
  ];
  static override args = { dir: Args.string({ name: 'DIR', default: '.', description: 'folder or file' }) };
  static override flags = {
    format: Flags.string({
      description: 'text (in a terminal), tap (elsewhere), junit or json',
      options: [...TEST_FORMATS],
      helpValue: 'FORMAT',
    }),
    'coverage-required': Flags.boolean({ description: 'fail where no test reaches a rule or mask' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PolicyTest);
    const { resources, tests } = await loadPolicies(args.dir, process.env);
    const run = await runTests(resources, tests);
    const format = this.jsonEnabled() ? 'json' : (flags.format ?? (process.stdout.isTTY ? 'text' : 'tap'));
    this.print(testReport(run, format as TestFormat, this.colours));
    const failure = failureOf(run, flags['coverage-required']);
    if (failure !== undefined && this.jsonEnabled()) return this.exit(failure.exitStatus);
    if (failure !== undefined) throw failure;
    if (format === 'text') this.say(testSummary(run));
  }
}
