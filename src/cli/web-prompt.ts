import type { WebPrompt } from '../identity/web-login.js';
import type { Colours } from './colours.js';

/** What to show while a login waits for a browser on this machine. */
export function webPromptText(
  prompt: WebPrompt,
  login: { readonly agentUrl: string; readonly issuer: string; readonly clientId: string },
  colours: Colours,
): string {
  const minutes = Math.max(1, Math.round(prompt.expiresInS / 60));
  return [
    `Logging in to ${colours.bold(login.agentUrl)} through ${colours.plain(login.issuer)}.`,
    '',
    `  Open     ${colours.cyan(prompt.url)}`,
    `           in a browser on this machine, within ${minutes} min`,
    '',
    `This lets ${colours.plain(login.clientId)} on this machine act as you at that agent.`,
  ].join('\n');
}
