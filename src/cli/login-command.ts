import { text } from 'node:stream/consumers';
import type { LoginKind } from '../client/login/login.js';
import { HoopCommand } from './base-command.js';
import { devicePromptText } from './device-prompt.js';
import { openBrowser } from './open-browser.js';
import { webPromptText } from './web-prompt.js';

/** What `hoop login` was asked for. */
export interface LoginFlags {
  readonly web: boolean;
  readonly 'client-credentials': boolean;
  readonly 'token-stdin': boolean;
  readonly 'no-browser': boolean;
}

/** How a login asks its person, in a terminal and for programs. */
export abstract class LoginCommand extends HoopCommand {
  /** With `--json` a line tells a program what to show, before the line of the result. */
  protected async loginKind(flags: LoginFlags, agentUrl: string): Promise<LoginKind> {
    if (flags['client-credentials']) return { kind: 'client-credentials' };
    if (flags['token-stdin']) return { kind: 'token', token: await text(process.stdin) };
    const open = (link: string): void => {
      if (!flags['no-browser'] && !this.jsonEnabled()) openBrowser(link, (line) => this.say(line));
    };
    if (flags.web)
      return {
        kind: 'web',
        show: (prompt, agent) => {
          if (this.jsonEnabled()) this.printJson({ event: 'confirm', ...prompt });
          this.say(webPromptText(prompt, { agentUrl, ...agent }, this.messageColours));
          open(prompt.url);
        },
      };
    return {
      kind: 'device',
      show: (prompt, agent) => {
        if (this.jsonEnabled()) this.printJson({ event: 'confirm', ...prompt });
        const shown = { colours: this.messageColours, qr: process.stderr.isTTY && !this.jsonEnabled() };
        this.say(devicePromptText(prompt, { agentUrl, ...agent }, shown));
        open(prompt.verificationUriComplete ?? prompt.verificationUri);
      },
    };
  }
}
