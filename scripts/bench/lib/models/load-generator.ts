import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadTarget, Streamed } from './load.js';
import type { LoadOrder } from './load-process.js';

export interface RequestFigures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** The load generator in its own process. */
export class LoadGenerator {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('load-process.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
  });

  requests(target: LoadTarget, body: string, load: { clients: number; seconds: number }): Promise<RequestFigures> {
    return this.#order({ kind: 'requests', target: plain(target), body, ...load });
  }

  streams(target: LoadTarget, body: string, count: number): Promise<readonly Streamed[]> {
    return this.#order({ kind: 'streams', target: plain(target), body, count });
  }

  hold(target: LoadTarget, body: string, count: number): Promise<number> {
    return this.#order({ kind: 'hold', target: plain(target), body, count });
  }

  release(): Promise<number> {
    return this.#order({ kind: 'release' });
  }

  stop(): void {
    this.#child.disconnect();
  }

  #order<Result>(order: LoadOrder): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', (told: { readonly result?: Result; readonly error?: string }) => {
        if (told.error !== undefined) reject(new Error(told.error));
        else resolve(told.result as Result);
      });
      this.#child.send(order);
    });
  }
}

/** What can be sent to another process. */
function plain({ port, path, headers }: LoadTarget): LoadTarget {
  return { port, path, headers };
}
