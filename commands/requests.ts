import { Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { GRANT_COLUMNS } from '../src/cli/grant-columns.js';
import { REQUEST_COLUMNS } from '../src/cli/request-columns.js';
import { requestLines } from '../src/cli/request-lines.js';
import { followRequests } from '../src/client/requests/request-follow.js';
import { requestsPath, watchRequests } from '../src/client/requests/request-watch.js';
import type { GrantView, RequestView } from '../src/core/approval.js';

export default class Requests extends HoopCommand {
  static override summary = 'List requests for approval: yours, and those you may review';
  static override examples = [
    '<%= config.bin %> requests',
    '<%= config.bin %> requests --mine --all',
    '<%= config.bin %> requests --watch --json',
    '<%= config.bin %> requests --grants',
  ];
  static override flags = {
    mine: Flags.boolean({ description: 'only your own', default: false }),
    pending: Flags.boolean({ description: 'only those that wait (the default)', exclusive: ['all'] }),
    all: Flags.boolean({ description: 'decided ones too' }),
    grants: Flags.boolean({
      description: 'what approvals left behind and is good now; `hoop revoke` ends it',
      exclusive: ['watch', 'pending'],
    }),
    watch: Flags.boolean({
      description: 'go on and print each one that comes or changes, until Ctrl-C; with --json one object a line',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Requests);
    const asked = { state: flags.all ? 'all' : 'pending', mine: flags.mine } as const;
    if (flags.grants) return this.#grants(flags);
    if (flags.watch) return this.#watch(asked);
    this.printList(await this.agentApi().get<readonly RequestView[]>(requestsPath(asked)), REQUEST_COLUMNS, {
      empty: flags.all ? 'no requests' : 'nothing waits',
    });
  }

  async #grants({ all, mine }: { readonly all: boolean; readonly mine: boolean }): Promise<void> {
    const path = `/v1/grants?state=${all ? 'all' : 'active'}&mine=${String(mine)}`;
    const grants = await this.agentApi().get<readonly GrantView[]>(path);
    this.printList(grants, GRANT_COLUMNS, { empty: all ? 'no grants' : 'nothing is granted' });
  }

  async #watch(asked: { readonly state: 'pending' | 'all'; readonly mine: boolean }): Promise<void> {
    const api = this.agentApi();
    const changes = watchRequests({
      news: followRequests({ ...asked, stream: (path) => api.stream(path) }),
      getOne: (path) => api.get(path),
      onLost: (why) => {
        this.say(this.messageColours.plain(`${why}; reconnecting`));
      },
    });
    if (!this.jsonEnabled()) this.say('watching; Ctrl-C ends it');
    for await (const request of changes) {
      if (this.jsonEnabled()) this.printJson(request);
      else this.print(`${requestLines(request, this.colours)}\n`);
    }
  }
}
