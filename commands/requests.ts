import { Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { requestLines, stateOf } from '../src/cli/request-lines.js';
import { followRequests } from '../src/client/request-follow.js';
import { requestsPath, watchRequests } from '../src/client/request-watch.js';
import type { RequestView } from '../src/core/approval.js';

export default class Requests extends HoopCommand {
  static override summary = 'List requests for approval: yours, and those you may review';
  static override examples = [
    '<%= config.bin %> requests',
    '<%= config.bin %> requests --mine --all',
    '<%= config.bin %> requests --watch --json',
  ];
  static override flags = {
    mine: Flags.boolean({ description: 'only your own', default: false }),
    pending: Flags.boolean({ description: 'only those that wait (the default)', exclusive: ['all'] }),
    all: Flags.boolean({ description: 'decided ones too' }),
    watch: Flags.boolean({
      description: 'go on and print each one that comes or changes, until Ctrl-C; with --json one object a line',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Requests);
    const asked = { state: flags.all ? 'all' : 'pending', mine: flags.mine } as const;
    if (flags.watch) return this.#watch(asked);
    this.printList(
      await this.agentApi().get<readonly RequestView[]>(requestsPath(asked)),
      [
        { header: 'id', value: ({ id }) => id },
        { header: 'state', value: stateOf },
        { header: 'who', value: ({ requester }) => (requester.email === '' ? requester.subject : requester.email) },
        { header: 'connection', value: ({ connection }) => connection },
        { header: 'asked', value: ({ createdAt }) => `${createdAt.slice(0, 19)}Z` },
        { header: 'statement', value: ({ text }) => text },
      ],
      { empty: flags.all ? 'no requests' : 'nothing waits' },
    );
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
