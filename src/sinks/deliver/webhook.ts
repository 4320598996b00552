import { createHmac } from 'node:crypto';
import type { SinkResource } from '../../core/resources.js';
import type { Delivery, DeliveryHost } from '../delivery.js';
import { postJson, revealHeaders } from '../post-json.js';

/**
 * One event a request, signed: `x-hoop-signature` is `v1=` and the hex HMAC-SHA256 over `TIMESTAMP.BODY`, where TIMESTAMP is
 * the text of `x-hoop-timestamp` and BODY the bytes as sent. The secret is read at each attempt: a rotated one is used at once.
 */
export function webhookDelivery(sink: Extract<SinkResource, { type: 'webhook' }>, host: DeliveryHost): Delivery {
  return {
    batch: 1,
    send: async (events, signal) => {
      for (const event of events) {
        const body = JSON.stringify(event);
        const timestamp = String(Math.floor(host.nowMs() / 1_000));
        const secret = await host.reveal(sink.secret);
        const headers = {
          ...(await revealHeaders(sink.headers, host)),
          'x-hoop-event': event.type,
          'x-hoop-delivery': event.metadata.uid,
          'x-hoop-timestamp': timestamp,
          'x-hoop-signature': `v1=${signature(secret, timestamp, body)}`,
        };
        await postJson({ url: sink.url, ca: sink.ca, headers, body, signal });
      }
    },
    close: () => Promise.resolve(),
  };
}

/** Hex HMAC-SHA256 (RFC 2104) over `timestamp.body`. */
export function signature(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}
