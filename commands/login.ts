import { Args, Flags } from '@oclif/core';
import { LoginCommand } from '../src/cli/login-command.js';
import { describeWhoami } from '../src/cli/whoami-text.js';
import { logIn } from '../src/client/login/login.js';

export default class Login extends LoginCommand {
  static override summary = 'Log in to an agent through its identity provider';
  static override description =
    'Shows a code to confirm in a browser, on this machine or another (OpenID device flow). The agent is kept in the profile. With --json the first line says what to open and confirm, the last one who is logged in.';
  static override examples = [
    '<%= config.bin %> login https://agent.example.com:8443',
    '<%= config.bin %> login https://staging.example.com:8443 --profile staging',
    '<%= config.bin %> login --web',
    'HOOP_CLIENT_ID=ci HOOP_CLIENT_SECRET=… <%= config.bin %> login --client-credentials',
    '<%= config.bin %> login --token-stdin < token',
  ];
  static override args = {
    agent_url: Args.string({ description: 'address of the agent; left out: that of the profile' }),
  };
  static override flags = {
    'no-browser': Flags.boolean({ description: 'open no browser; only show code and link' }),
    web: Flags.boolean({
      description: 'log in in a browser on this machine (authorization code with PKCE)',
      exclusive: ['token-stdin', 'client-credentials'],
    }),
    'client-credentials': Flags.boolean({
      description: 'log a machine in with HOOP_CLIENT_ID and HOOP_CLIENT_SECRET',
      exclusive: ['token-stdin', 'web'],
    }),
    'token-stdin': Flags.boolean({ description: 'read an access token from stdin', exclusive: ['web'] }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Login);
    const profile = this.profile(args.agent_url);
    const kind = await this.loginKind(flags, profile.agentUrl);
    const { who, overriddenBy } = await logIn(profile, kind, { env: process.env, say: (line) => this.say(line) });
    if (overriddenBy !== undefined) this.say(`${overriddenBy} is set and goes before this login.`);
    const told = describeWhoami(who, profile.agentUrl);
    if (this.jsonEnabled()) this.printJson({ profile: profile.name, ...told });
    else
      this.print(`Logged in to ${this.colours.plain(told.agent)} as ${this.colours.bold(told.email || told.subject)}.`);
  }
}
