import { Args, Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { errorReport } from '../src/cli/error-report.js';
import { configFolder } from '../src/client/login/profile.js';
import { verifyFailure } from '../src/client/recordings/verify-failure.js';
import { crashText, verifyRecordings } from '../src/client/recordings/verify-recordings.js';
import type { VerifyResult } from '../src/client/recordings/verify-recordings.js';

export default class Verify extends HoopCommand {
  static override summary = 'Prove that recordings are whole';
  static override description =
    'Checks every event, the chain between them and the seal, and of a folder that nothing is missing or extra. The key comes from the agent and is pinned once seen, or from --key. Without the agent, removal together with an older checkpoint can’t be seen.';
  static override examples = [
    '<%= config.bin %> verify 0193f1c2-7d3a-7c11-9f0e-2b6d8a4c5e10',
    '<%= config.bin %> verify recordings/2026-11-21 --key agent.pub',
  ];
  static override strict = false;
  static override args = {
    target: Args.string({
      required: true,
      description:
        'a session’s id, the file of a recording, a folder of them, or what `hoop audit export` wrote; several may be named',
    }),
  };
  static override flags = {
    key: Flags.string({ description: 'file with the public key to trust', helpValue: 'FILE' }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Verify);
    const results: VerifyResult[] = [];
    const request = {
      targets: argv as string[],
      keyFile: flags.key,
      agent: () => this.agentApi(),
      configFolder: configFolder(process.env),
      say: (text: string) => this.say(text),
    };
    for await (const result of verifyRecordings(request)) {
      results.push(result);
      if (!this.jsonEnabled()) this.show(result);
    }
    const error = verifyFailure(results);
    if (!this.jsonEnabled() && error !== undefined) throw error;
    if (this.jsonEnabled())
      this.printJson({ ok: error === undefined, results, ...(error === undefined ? {} : errorReport(error)) });
    if (error !== undefined) this.exit(error.exitStatus);
  }

  private show(result: VerifyResult): void {
    const gone = result.removed ?? 0;
    const { colours } = this;
    const what =
      result.kind === 'folder' || result.kind === 'bundle'
        ? `${result.verified} recordings hold`
        : `${result.events} events hold`;
    const aged = gone === 0 ? '' : `, ${gone} removed by retention`;
    const label = result.breaks[0]?.kind === 'no-recording' ? 'not proven' : 'BROKEN';
    const how = result.live ? ', still live' : result.keyId === '' ? '' : `, sealed by key ${result.keyId}`;
    this.print(
      `${result.ok ? colours.green('ok') : colours.red(label)}  ${colours.plain(result.target)}  ${what}${aged}${colours.plain(how)}`,
    );
    for (const { file, ...crash } of result.crashes)
      this.print(`  ${colours.yellow('crash')}  ${colours.plain(file)}: ${colours.plain(crashText(crash))}`);
    for (const { file, kind, seq, message } of result.breaks) {
      const event = seq === 0 ? '' : ` event ${seq}:`;
      this.print(`  ${colours.red(kind)}  ${colours.plain(file)}:${event} ${colours.plain(message)}`);
    }
    if (result.kind === 'folder' && result.offline) {
      this.say('compared with the checkpoint only: removal together with an older checkpoint can’t be seen');
    }
  }
}
