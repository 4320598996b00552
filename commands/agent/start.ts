import { Flags } from '@oclif/core';
import { hardenProcess } from '../../src/agent/harden.js';
import { createLog } from '../../src/agent/log.js';
import { runAgent } from '../../src/agent/run-agent.js';
import { validateAgent } from '../../src/agent/validate.js';
import { HoopCommand } from '../../src/cli/base-command.js';
import { HoopError } from '../../src/core/errors.js';

export default class AgentStart extends HoopCommand {
  static override summary = 'Run the agent on a folder of resource files';
  static override description =
    'Logs JSON lines to stderr. SIGTERM and Ctrl-C let running statements end, a second one does not wait. SIGHUP, or a changed file, reloads all or nothing.';
  static override examples = [
    '<%= config.bin %> agent start --config ./hoop-agent',
    '<%= config.bin %> agent start --config ./hoop-agent --validate',
  ];
  static override flags = {
    config: Flags.string({ required: true, description: 'folder of the resource files', helpValue: 'DIR' }),
    validate: Flags.boolean({ description: 'check files, secrets and certificates, and exit' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentStart);
    hardenProcess({ nodeOptions: process.env['NODE_OPTIONS'] ?? '', execArgv: process.execArgv });
    try {
      if (flags.validate) await this.#validate(flags.config);
      else await this.#run(flags.config);
    } catch (error) {
      throw this.#withFaults(error);
    }
  }

  async #validate(dir: string): Promise<void> {
    const { connections, policies } = await validateAgent(dir, process.env, (message) =>
      this.say(this.messageColours.plain(message)),
    );
    if (this.jsonEnabled()) this.printJson({ valid: true, connections, policies });
    else this.say(`valid; connections: ${String(connections)}, policies: ${String(policies)}`);
  }

  async #run(dir: string): Promise<void> {
    await runAgent({
      dir,
      env: process.env,
      log: createLog('info'),
      onListening: (url) => {
        if (this.jsonEnabled()) this.printJson({ event: 'listening', url });
        else this.say(`hoop agent listens at ${this.messageColours.bold(url)}`);
      },
      onDraining: (signal) => this.say(`${signal}: running statements may end; a second signal does not wait`),
    });
    // Whatever library still holds a timer: everything is sealed and closed.
    this.exit(0);
  }

  /** Faults of the files are told one a line, as editors and compilers read them; scripts get all in the message. */
  #withFaults(error: unknown): unknown {
    if (!(error instanceof HoopError) || error.code !== 'config_invalid' || this.jsonEnabled()) return error;
    const faults = error.message.split('\n');
    if (!/:\d+:\d+: /.test(faults[0] ?? '')) return error;
    for (const fault of faults) this.say(this.messageColours.plain(fault));
    return new HoopError(
      'config_invalid',
      faults.length === 1
        ? 'the resource files have a fault'
        : `the resource files have ${String(faults.length)} faults`,
      {
        why: faults[0] ?? '',
      },
    );
  }
}
