import { basename } from 'node:path';
import { Args } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { completionLines } from '../src/cli/completion/lines.js';
import { SCRIPTS, SHELLS } from '../src/cli/completion/scripts.js';
import type { Shell } from '../src/cli/completion/scripts.js';
import { splitCommand } from '../src/client/connect/connect.js';
import { HoopError } from '../src/core/errors.js';

/** What the scripts ask, with the words of the line behind `--`. */
const WORDS = 'words';

export default class Completion extends HoopCommand {
  static override summary = 'Print a script that completes commands, flags and names of connections in your shell';
  static override description =
    'Without a shell, that of SHELL. Names of connections are asked of the agent at most once a minute.';
  static override examples = [
    { description: 'bash, in ~/.bashrc', command: 'source <(<%= config.bin %> completion bash)' },
    { description: 'zsh, in ~/.zshrc behind compinit', command: 'source <(<%= config.bin %> completion zsh)' },
    {
      description: 'fish, once',
      command: '<%= config.bin %> completion fish > ~/.config/fish/completions/hoop.fish',
    },
  ];
  static override args = { shell: Args.string({ description: 'bash, zsh or fish' }) };

  async run(): Promise<void> {
    const { own, command } = splitCommand(this.argv);
    const { args } = await this.parse(Completion, own);
    if (args.shell === WORDS) return this.#complete(command ?? []);
    const shell = args.shell ?? basename(process.env['SHELL'] ?? '');
    if (!isShell(shell))
      throw new HoopError('usage', 'hoop completes in bash, zsh and fish', {
        suggestion: 'name the shell: hoop completion bash',
      });
    if (this.jsonEnabled()) this.printJson({ shell, script: SCRIPTS[shell] });
    else process.stdout.write(SCRIPTS[shell]);
  }

  async #complete(typed: readonly string[]): Promise<void> {
    const lines = await completionLines(typed, {
      commands: this.config.commands,
      env: process.env,
      open: (flags) => {
        this.useGlobals(flags);
        return { profile: this.profile(), api: this.agentApi() };
      },
    });
    for (const line of lines) this.print(line);
    // Ends also where the agent has not answered yet: somebody waits at the keyboard.
    this.exit(0);
  }
}

function isShell(name: string): name is Shell {
  return (SHELLS as readonly string[]).includes(name);
}
