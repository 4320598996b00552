import { Args, Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { accessLine } from '../src/cli/request-lines.js';
import { askAccess, awaitDecision } from '../src/client/requests/access-request.js';
import { plainReport } from '../src/client/connect/connect-report.js';
import { durationFlag } from '../src/client/duration-flag.js';
import { interruption } from '../src/client/connect/obtain-access.js';
import type { ConnectionEvent } from '../src/client/tunnels/tunnel-keeper.js';

/** 128 and the number of SIGINT. */
const INTERRUPTED = 130;

export default class Request extends HoopCommand {
  static override summary = 'Ask for access to a connection for a time';
  static override description =
    'Waits until reviewers have decided; Ctrl-C, or the end of --wait, withdraws the request. With --no-wait, prints its id and ends with 0 while it is open: `hoop requests --mine` and `hoop connections` show what became of it. Exit 6: denied, 7: not approved in time.';
  static override examples = [
    '<%= config.bin %> request postgres --duration 1h --reason "OPS-17: refund"',
    '<%= config.bin %> request postgres --duration 1h --reason "nightly check" --no-wait',
  ];
  static override args = { connection: Args.string({ required: true, description: 'connection to use' }) };
  static override flags = {
    duration: Flags.string({
      description: 'for how long, e.g. 1h; without: as long as the flow gives',
      helpValue: '1h',
    }),
    reason: Flags.string({ description: 'why, for reviewers and the record', helpValue: 'TEXT' }),
    wait: Flags.string({
      description: 'longest wait for the decision, e.g. 10m',
      helpValue: '10m',
      exclusive: ['no-wait'],
    }),
    'no-wait': Flags.boolean({ description: 'print the id and leave the decision for later' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Request);
    const { connection } = args;
    const waitMs = durationFlag('wait', flags.wait);
    const api = this.agentApi();
    const asked = await askAccess(api, { connection, duration: flags.duration, reason: flags.reason });
    if (asked === undefined) {
      if (this.jsonEnabled()) this.printJson({ connection, access: 'open' });
      else this.say(`${this.messageColours.plain(connection)} is open to you: no approval is needed`);
      return;
    }
    if (flags['no-wait'] && asked.state === 'pending') {
      if (this.jsonEnabled()) this.printJson(asked);
      else this.print(asked.id);
      return;
    }
    const { signal: interrupted } = interruption();
    const report = plainReport((line) => {
      this.say(line);
    });
    const onEvent = (event: ConnectionEvent): void => {
      report.event(event);
    };
    const decided =
      asked.state === 'pending' ? await awaitDecision(api, asked, { waitMs, onEvent, interrupted }) : asked;
    if (decided === undefined) this.exit(INTERRUPTED);
    if (this.jsonEnabled()) this.printJson(decided);
    else this.print(accessLine(decided, this.colours));
  }
}
