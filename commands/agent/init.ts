import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Args } from '@oclif/core';
import { HoopCommand } from '../../src/cli/base-command.js';
import { starterFiles } from '../../src/config/starter.js';
import { writeStarter } from '../../src/config/write-starter.js';

const MASTER_KEY_BYTES = 32;

export default class AgentInit extends HoopCommand {
  static override summary = 'Write commented starter files for an agent, with a fresh master key';
  static override description = 'Nothing is overwritten. The folder and its files are readable by you alone.';
  static override examples = ['<%= config.bin %> agent init ./hoop-agent'];
  static override args = {
    dir: Args.string({ required: true, description: 'folder to write to; made where missing' }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(AgentInit);
    const files = starterFiles(randomBytes(MASTER_KEY_BYTES));
    await writeStarter(args.dir, files);
    if (this.jsonEnabled()) {
      this.printJson({ dir: args.dir, files: files.map(({ path }) => path) });
      return;
    }
    for (const { path } of files) this.print(this.colours.plain(join(args.dir, path)));
    const dir = this.messageColours.bold(args.dir);
    this.say(`\nNext: read the files; they say which environment variables to set. Then
  hoop agent start --config ${dir} --validate
  hoop agent start --config ${dir}
Keep a copy of master.key elsewhere: without it the recording key is lost.`);
  }
}
