import type { RequestSide } from './dialect.js';
import { plainReading } from './reading.js';

/** Requests of any API, and refusals that no SDK has to understand. */
export const httpRequests: RequestSide = {
  provider: '',
  read: plainReading,
  refusal: ({ code, message }) => ({
    contentType: 'application/json',
    body: JSON.stringify({ error: { code, message } }),
  }),
  streamRefusal: ({ code, message }) => `event: error\ndata: ${JSON.stringify({ error: { code, message } })}\n\n`,
  ping: ': waiting for approval\n\n',
};
