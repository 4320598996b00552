import { Flags } from '@oclif/core';
import { hardenProcess } from '../../src/agent/harden.js';
import { createLog, LOG_LEVELS, type LogLevel } from '../../src/agent/log.js';
import { runAgent } from '../../src/agent/run-agent.js';
import { validateAgent } from '../../src/agent/validate.js';
import { HoopCommand } from '../../src/cli/base-command.js';
import { tellFileFaults } from '../../src/cli/file-faults.js';

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
    'log-level': Flags.option({
      description: 'the least that is logged',
      options: LOG_LEVELS,
      default: 'info' as const,
      env: 'HOOP_LOG_LEVEL',
    })(),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentStart);
    hardenProcess({ nodeOptions: process.env['NODE_OPTIONS'] ?? '', execArgv: process.execArgv });
    try {
      if (flags.validate) await this.#validate(flags.config);
      else await this.#run(flags.config, flags['log-level']);
    } catch (error) {
      // Scripts get all of them in the message.
      throw this.jsonEnabled() ? error : tellFileFaults(error, (fault) => this.say(this.messageColours.plain(fault)));
    }
  }

  async #validate(dir: string): Promise<void> {
    const { connections, policies } = await validateAgent(dir, process.env, (message) =>
      this.say(this.messageColours.plain(message)),
    );
    if (this.jsonEnabled()) this.printJson({ valid: true, connections, policies });
    else this.say(`valid; connections: ${String(connections)}, policies: ${String(policies)}`);
  }

  async #run(dir: string, level: LogLevel): Promise<void> {
    const log = createLog(level);
    // Sentences are for a person who looks on; what collects the log gets JSON lines and nothing else.
    const tell = (text: string): void => {
      if (process.stderr.isTTY) this.say(text);
    };
    await runAgent({
      dir,
      env: process.env,
      log,
      onListening: (url) => {
        log.info('listening', { url, version: this.config.version });
        if (this.jsonEnabled()) this.printJson({ event: 'listening', url });
        tell(`hoop agent listens at ${this.messageColours.bold(url)}`);
      },
      onDraining: (signal) => {
        log.info('draining', { signal });
        tell(`${signal}: running statements may end; a second signal does not wait`);
      },
    });
    log.info('ended');
    // Whatever library still holds a timer: everything is sealed and closed.
    this.exit(0);
  }
}
