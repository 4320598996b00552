import { basename } from 'node:path';
import { Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { devText, shellWord } from '../src/dev/dev-text.js';
import { HOOP_PROGRAM } from '../src/dev/hoop-program.js';
import { runDev } from '../src/dev/run-dev.js';
import { requireTrialPackages } from '../src/dev/trial-packages.js';

export default class Dev extends HoopCommand {
  static override summary = 'Run a trial stack until Ctrl-C: identity provider, Postgres with data, agent';
  static override description =
    'Everything is on loopback and in a temporary folder. It says what to type in a second terminal; `source alice.sh` in that folder types the first lines of it. With --json, one object says where things are.';
  static override examples = ['<%= config.bin %> dev', '<%= config.bin %> dev --keep ./trial'];
  static override flags = {
    keep: Flags.string({ description: 'put files into this folder and leave them there', helpValue: 'DIR' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Dev);
    requireTrialPackages();
    this.say('starting: Postgres, identity provider, agent');
    await runDev({
      keep: flags.keep,
      onRunning: (stack) => {
        const { agentUrl, agentPid, issuer, postgres, users, agentDir, agentLog, machine } = stack;
        if (this.jsonEnabled())
          this.printJson({
            event: 'running',
            agentUrl,
            agentPid,
            issuer,
            postgres,
            users,
            agentDir,
            agentLog,
            machine,
          });
        else this.print(devText(stack, { colours: this.colours, alias: this.#alias() }));
      },
    });
    this.say('ended');
    this.exit(0);
  }

  /** Run from a checkout, `hoop` may be on no PATH: then the second terminal needs a word for it. */
  #alias(): string | undefined {
    if (basename(process.argv[1] ?? '') !== 'run.js') return undefined;
    return `alias hoop=${shellWord(`node ${shellWord(HOOP_PROGRAM)}`)}`;
  }
}
