// The load generator as a process of its own, told over IPC what to do. It is cheaper than what it measures: sockets and
// bytes, nothing parsed that need not be.
import { holdStreams, loadRequests, loadStreams, type LoadTarget } from './load.js';

export type LoadOrder =
  | {
      readonly kind: 'requests';
      readonly target: LoadTarget;
      readonly body: string;
      readonly clients: number;
      readonly seconds: number;
    }
  | { readonly kind: 'streams'; readonly target: LoadTarget; readonly body: string; readonly count: number }
  | { readonly kind: 'hold'; readonly target: LoadTarget; readonly body: string; readonly count: number }
  | { readonly kind: 'release' };

let release: (() => void) | undefined;

async function carryOut(order: LoadOrder): Promise<unknown> {
  switch (order.kind) {
    case 'requests':
      return loadRequests(order.target, order.body, order);
    case 'streams':
      return loadStreams(order.target, order.body, order.count);
    case 'hold':
      release = await holdStreams(order.target, order.body, order.count);
      return order.count;
    case 'release':
      release?.();
      return 0;
  }
}

process.on('message', (order: LoadOrder) => {
  carryOut(order).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
