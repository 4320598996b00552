import { HoopCommand } from '../src/cli/base-command.js';
import { describeWhoami } from '../src/cli/whoami-text.js';

export default class WhoAmI extends HoopCommand {
  static override summary = 'Say who the agent takes you for';
  static override examples = ['<%= config.bin %> whoami', '<%= config.bin %> whoami --json'];

  async run(): Promise<void> {
    await this.parse(WhoAmI);
    const api = this.agentApi();
    const who = describeWhoami(await api.whoami(), api.url);
    if (this.jsonEnabled()) return this.printJson(who);
    for (const [name, value] of Object.entries(who)) {
      const text = Array.isArray(value) ? value.join(', ') : String(value);
      // A machine has no e-mail address.
      if (text !== '') this.print(`${this.colours.dim(name.padEnd(8))} ${this.colours.plain(text)}`);
    }
  }
}
