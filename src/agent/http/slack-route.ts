import { readBytes } from './body.js';
import type { HttpDependencies } from './dependencies.js';
import type { Route } from './route.js';

/** A message with a whole statement in it, encoded as a form. */
const MAX_INTERACTION_BYTES = 256 * 1024;

/** Where Slack says that a button was pressed. Slack shows no token: it signs what it sends. */
export function slackRoute({ slack }: Pick<HttpDependencies, 'slack'>): Route {
  return {
    method: 'POST',
    path: '/v1/slack',
    auth: 'public',
    summary: 'a button in Slack was pressed; signed by Slack',
    query: [],
    handler: async ({ request }) => {
      const headerOf = (name: string): string => {
        const value = request.headers[name];
        return typeof value === 'string' ? value : '';
      };
      await slack({
        timestamp: headerOf('x-slack-request-timestamp'),
        signature: headerOf('x-slack-signature'),
        body: await readBytes(request, MAX_INTERACTION_BYTES),
      });
      // Slack shows a fault to who pressed for anything but an empty 200.
      return { text: '', contentType: 'text/plain' };
    },
  };
}
