import { Flags } from '@oclif/core';
import { rotateMasterKey } from '../../src/agent/credentials/rotate-master-key.js';
import { HoopCommand } from '../../src/cli/base-command.js';

export default class AgentRotateMasterKey extends HoopCommand {
  static override summary = 'Seal the keys and secrets of a stopped agent under another master key';
  static override description =
    'Where the master key is in a file, a fresh one replaces it and the old one stays beside it as FILE.old, FILE.old (FILE.old.2 and so on, one of each rotation). Where it comes from elsewhere, --new-key names a file with the new one, and you change it at its source afterwards.';
  static override examples = [
    '<%= config.bin %> agent rotate-master-key --config ./hoop-agent',
    '<%= config.bin %> agent rotate-master-key --config ./hoop-agent --new-key ./new.key',
  ];
  static override flags = {
    config: Flags.string({ required: true, description: 'folder of the resource files', helpValue: 'DIR' }),
    'new-key': Flags.string({ description: 'file with the new key: 32 bytes, base64, one line', helpValue: 'FILE' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentRotateMasterKey);
    const { resealed, replaced } = await rotateMasterKey({
      dir: flags.config,
      env: process.env,
      newKeyFile: flags['new-key'],
      warn: (message) => this.say(this.messageColours.plain(message)),
    });
    if (this.jsonEnabled()) return this.printJson({ resealed, file: replaced?.file ?? '', old: replaced?.old ?? '' });
    this.print(`Sealed anew: ${String(resealed)} keys and secrets.`);
    if (replaced === undefined) this.say('Now change the master key at its source, then start the agent.');
    else
      this.say(
        `${this.messageColours.plain(replaced.file)} holds the new key. Backups of the store need the old one: ${this.messageColours.plain(replaced.old)}`,
      );
  }
}
