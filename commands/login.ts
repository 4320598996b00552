import { text } from 'node:stream/consumers';
import { Args, Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { devicePromptText } from '../src/cli/device-prompt.js';
import { openBrowser } from '../src/cli/open-browser.js';
import { describeWhoami } from '../src/cli/whoami-text.js';
import { logIn } from '../src/client/login.js';
import type { LoginKind } from '../src/client/login.js';
import { HoopError } from '../src/core/errors.js';

export default class Login extends HoopCommand {
  static override summary = 'Log in to an agent through its identity provider';
  static override description =
    'Shows a code to confirm in a browser, on this machine or another (OpenID device flow). The agent is kept in the profile.';
  static override examples = [
    '<%= config.bin %> login https://agent.example.com:8443',
    'HOOP_CLIENT_ID=ci HOOP_CLIENT_SECRET=… <%= config.bin %> login --client-credentials',
    '<%= config.bin %> login --token-stdin < token',
  ];
  static override args = {
    agent_url: Args.string({ description: 'address of the agent; left out: that of the profile' }),
  };
  static override flags = {
    'no-browser': Flags.boolean({ description: 'open no browser; only show code and link' }),
    'client-credentials': Flags.boolean({
      description: 'log a machine in with HOOP_CLIENT_ID and HOOP_CLIENT_SECRET',
      exclusive: ['token-stdin', 'web'],
    }),
    'token-stdin': Flags.boolean({ description: 'read an access token from stdin', exclusive: ['web'] }),
    web: Flags.boolean({ description: 'not in this version: log in by redirect to this machine' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Login);
    if (flags.web)
      throw new HoopError('not_in_version', '--web is not in this version', { why: 'only the device flow is' });
    const profile = this.profile(args.agent_url);
    const kind: LoginKind = flags['client-credentials']
      ? { kind: 'client-credentials' }
      : flags['token-stdin']
        ? { kind: 'token', token: await text(process.stdin) }
        : {
            kind: 'device',
            show: (prompt, agent) => {
              const login = { agentUrl: profile.agentUrl, ...agent };
              this.say(devicePromptText(prompt, login, { colours: this.messageColours, qr: process.stderr.isTTY }));
              if (!flags['no-browser']) openBrowser(prompt, (line) => this.say(line));
            },
          };
    const { who, overriddenBy } = await logIn(profile, kind, { env: process.env, say: (line) => this.say(line) });
    if (overriddenBy !== undefined) this.say(`${overriddenBy} is set and goes before this login.`);
    const told = describeWhoami(who, profile.agentUrl);
    if (this.jsonEnabled()) this.printJson({ profile: profile.name, ...told });
    else
      this.print(`Logged in to ${this.colours.plain(told.agent)} as ${this.colours.bold(told.email || told.subject)}.`);
  }
}
