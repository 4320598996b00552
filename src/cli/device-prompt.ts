import qrcode from 'qrcode-terminal';
import type { DevicePrompt } from '../identity/device-login.js';
import type { Colours } from './colours.js';

/**
 * What to show while a login waits for its confirmation: the code, the link, and what is being allowed.
 *
 * Who is tricked into confirming another's code gives that other their access: so it says what the
 * confirmation does, and to go on only with the same code.
 *
 * @param options.qr draw the link as a QR code, for a terminal
 */
export function devicePromptText(
  prompt: DevicePrompt,
  login: { readonly agentUrl: string; readonly issuer: string; readonly clientId: string },
  options: { readonly colours: Colours; readonly qr: boolean },
): string {
  const { colours } = options;
  const minutes = Math.max(1, Math.round(prompt.expiresInS / 60));
  const link = prompt.verificationUriComplete ?? prompt.verificationUri;
  const lines = [
    `Logging in to ${colours.bold(login.agentUrl)} through ${colours.plain(login.issuer)}.`,
    '',
    `  Open     ${colours.cyan(link)}`,
    `  Confirm  ${colours.bold(prompt.userCode)}   (within ${minutes} min)`,
    '',
    `This lets ${colours.plain(login.clientId)} on this machine act as you at that agent.`,
    'Confirm only if the page shows the same code, and never for somebody else.',
  ];
  // Above the link: the drawing fills a terminal of 24 lines, and what has to be read must not scroll out of it.
  if (options.qr) lines.splice(2, 0, qrCode(link), '');
  return lines.join('\n');
}

function qrCode(text: string): string {
  let drawn = '';
  qrcode.generate(text, { small: true }, (code) => (drawn = code));
  return drawn.trimEnd();
}
