import { Args, Help as CommandHelp } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { refuseUnknown } from '../src/cli/command-not-found.js';

export default class Help extends HoopCommand {
  static override summary = 'Say what hoop or one of its commands does';
  static override examples = [
    '<%= config.bin %> help',
    '<%= config.bin %> help exec',
    '<%= config.bin %> help agent start',
  ];
  static override strict = false;
  static override args = { command: Args.string({ description: 'command to explain; may be several words' }) };

  async run(): Promise<void> {
    const { argv } = await this.parse(Help);
    const words = argv as string[];
    refuseUnknown(words, this.config);
    await new CommandHelp(this.config).showHelp(words);
  }
}
