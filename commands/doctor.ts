import { HoopCommand } from '../src/cli/base-command.js';
import { checkLines } from '../src/cli/check-lines.js';
import { exitStatusOf, examine } from '../src/client/doctor/examine.js';

export default class Doctor extends HoopCommand {
  static override summary = 'Check each hop to the agent in order, and say what to do where one fails';
  static override description =
    'Name, TCP, TLS, agent, token, clocks, keychain, local port. It changes nothing. The exit status is that of the first hop that failed: 3 for the token, 8 for what is not reachable.';
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor --agent https://agent.example.com:8443',
    '<%= config.bin %> doctor --json',
  ];

  async run(): Promise<void> {
    await this.parse(Doctor);
    const json = this.jsonEnabled();
    const checks = await examine({
      profile: () => this.profile(),
      whoami: () => this.agentApi().whoami(),
      version: this.config.version,
      env: process.env,
      nowMs: () => Date.now(),
      onCheck: (check) => {
        if (!json) this.print(checkLines(check, this.colours));
      },
    });
    if (json) this.printJson(checks);
    this.exit(exitStatusOf(checks));
  }
}
