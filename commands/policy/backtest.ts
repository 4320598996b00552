import { Args, Flags } from '@oclif/core';
import { HoopCommand } from '../../src/cli/base-command.js';
import { questionsInFolder, questionsOfAgent } from '../../src/cli/policy/backtest-source.js';
import { backtestText } from '../../src/cli/policy/backtest-text.js';
import { loadPolicies } from '../../src/cli/policy/load-policies.js';
import { changeFailure, runBacktest } from '../../src/cli/policy/run-backtest.js';
import { instantOf } from '../../src/client/instant.js';

export default class PolicyBacktest extends HoopCommand {
  static override summary = 'Judge recorded sessions again by changed files, and list what differs';
  static override description =
    'Reads the recordings of the agent that you may read, or of a folder, and runs nothing. Statements are judged by the facts that were recorded with them; texts, bound values and bodies are recorded masked, and headers of requests are not. Counts are by user, connection and rule.';
  static override examples = [
    '<%= config.bin %> policy backtest ./policies --since 30d',
    '<%= config.bin %> policy backtest ./policies --recordings ./recordings --since 2026-11-01 --fail-on-change',
  ];
  static override args = { dir: Args.string({ name: 'DIR', default: '.', description: 'folder or file' }) };
  static override flags = {
    since: Flags.string({ description: 'sessions started after it', helpValue: 'TIME', default: '30d' }),
    until: Flags.string({ description: 'sessions started before it', helpValue: 'TIME' }),
    recordings: Flags.string({ description: 'folder of recordings; left out, the agent’s', helpValue: 'DIR' }),
    'fail-on-change': Flags.boolean({ description: 'exit 1 where an action differs' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PolicyBacktest);
    const nowMs = Date.now();
    const until = flags.until === undefined ? new Date(nowMs).toISOString() : instantOf(flags.until, nowMs);
    const span = { since: instantOf(flags.since, nowMs), until };
    const { resources } = await loadPolicies(args.dir, process.env);
    const { recordings } = flags;
    const questions =
      recordings === undefined ? questionsOfAgent(this.agentApi(), span) : questionsInFolder(recordings, span);
    const result = await runBacktest(resources, questions, (judged) => {
      if (process.stderr.isTTY) this.say(this.messageColours.dim(`${judged.toLocaleString('en-US')} statements …`));
    });
    if (this.jsonEnabled()) this.printJson(result);
    else this.print(backtestText(result, this.colours));
    const failure = flags['fail-on-change'] ? changeFailure(result) : undefined;
    if (failure !== undefined && this.jsonEnabled()) return this.exit(failure.exitStatus);
    if (failure !== undefined) throw failure;
  }
}
