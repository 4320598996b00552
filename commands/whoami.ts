import { HoopCommand } from '../src/cli/base-command.js';
import type { Identity } from '../src/core/identity.js';

/** What `GET /v1/whoami` answers: the identity as the agent's verifier read it. */
type Whoami = Pick<Identity, 'subject' | 'email' | 'groups' | 'issuer' | 'expiresAt'> & Partial<Pick<Identity, 'machine'>>;

export default class WhoAmI extends HoopCommand {
  static override summary = 'Say who the agent takes you for';
  static override examples = ['<%= config.bin %> whoami', '<%= config.bin %> whoami --json'];

  async run(): Promise<void> {
    await this.parse(WhoAmI);
    const api = this.agentApi();
    const who = await api.get<Whoami>('/v1/whoami');
    const expires = new Date(who.expiresAt * 1000).toISOString();
    if (this.jsonEnabled()) {
      const { subject, email, groups, issuer, machine = false } = who;
      this.printJson({ subject, email, groups, issuer, machine, expires, agent: api.url });
      return;
    }
    const rows: readonly (readonly [string, string])[] = [
      ['subject', who.subject],
      ['email', who.email],
      ['groups', who.groups.join(', ')],
      ['issuer', who.issuer],
      ['expires', expires],
      ['agent', api.url],
    ];
    for (const [name, value] of rows) this.print(`${this.colours.dim(name.padEnd(8))} ${this.colours.plain(value)}`);
  }
}
