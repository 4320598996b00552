import { Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { givenToken } from '../src/client/given-token.js';
import { logOut } from '../src/client/login/login.js';

export default class Logout extends HoopCommand {
  static override summary = 'End the login: revoke it at the provider where it offers that, and erase it here';
  static override examples = ['<%= config.bin %> logout', '<%= config.bin %> logout --all'];
  static override flags = {
    all: Flags.boolean({ description: 'end every login, of every profile and agent' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Logout);
    const profile = flags.all ? undefined : this.profile();
    const ended = await logOut(profile, { env: process.env, say: (line) => this.say(this.messageColours.plain(line)) });
    const given = givenToken(process.env);
    if (given !== undefined)
      this.say(
        `Commands go on with the token of ${given.name}: that is in the environment, and only to be unset there.`,
      );
    if (this.jsonEnabled()) return this.printJson(ended);
    if (ended.length === 0) this.say('Not logged in: there is nothing to end.');
    for (const { agent, revoked } of ended) {
      this.print(`Logged out of ${this.colours.plain(agent)}${revoked ? ', revoked at the provider' : ''}.`);
    }
  }
}
