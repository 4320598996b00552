/**
 * Requests, answers and WebSockets gone wrong, through a real agent over real sockets, at its own port and at local ones. Promises held, whatever is sent by either side:
 * nothing goes up that was not judged, nor anything of the caller's own; nothing comes down unmasked, in any reading of it
 * that a client might have; the agent has no internal error; and the next request works.
 *
 *     npx tsx scripts/fuzz/http.ts --seconds 600 --seed 1
 */
import { pathToFileURL } from 'node:url';
import { fuzzHttpClient } from './http-client.js';
import { fuzzHttpUpstream } from './http-upstream.js';
import { fuzzSocketClient, fuzzSocketUpstream } from './http-sockets.js';
import { HttpWorld } from './http-world.js';
import { Dice, fuzzInTurn, seedAndSeconds, tellReport, type FuzzReport } from './mutation.js';

/** By turns: hostile callers and hostile upstreams, of requests and of WebSockets. */
const WAYS = [fuzzHttpClient, fuzzHttpUpstream, fuzzSocketClient, fuzzSocketUpstream];
const RENEWED_AFTER = 500;

/** Runs until the time is up or a promise is broken. */
export async function fuzzHttp(options: { readonly seconds: number; readonly seed: number }): Promise<FuzzReport> {
  const world = new HttpWorld();
  await world.open();
  const wild: unknown[] = [];
  const note = (error: unknown): void => {
    wild.push(error);
  };
  process.on('uncaughtException', note).on('unhandledRejection', note);
  let runs = 0;
  try {
    return await fuzzInTurn(async (seed) => {
      runs += 1;
      if (runs % RENEWED_AFTER === 0) await world.renew();
      await (WAYS[seed % WAYS.length] ?? fuzzHttpClient)(world, new Dice(seed));
      if (wild.length > 0) throw new Error(`thrown where nobody caught it: ${String(wild[0])}`);
      const broken = world.logged.find((line) => line.includes('internal error'));
      if (broken !== undefined) throw new Error(broken);
    }, options);
  } finally {
    process.off('uncaughtException', note).off('unhandledRejection', note);
    await world.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) tellReport(await fuzzHttp(seedAndSeconds()));
