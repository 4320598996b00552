/** Opens the login page, only for a person at a terminal; where that fails, the link is on the screen. */
export function openBrowser(link: string, say: (line: string) => void): void {
  if (!process.stdout.isTTY || !process.stderr.isTTY) return;
  const failed = (): void => {
    say('No browser could be opened.');
  };
  import('open')
    .then(({ default: open }) => open(link))
    .then((browser) => browser.on('error', failed))
    .catch(failed);
}
