/**
 * Does the URL lead to this machine alone? Only there may tokens travel over plain http.
 *
 * Names other than `localhost` are not looked up: who answers for a name may change after the check.
 */
export function isLoopback(url: URL): boolean {
  const host = url.hostname.toLowerCase();
  return host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
