import { PassThrough, type Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { followRequests, type RequestNews } from '../../../src/client/requests/request-follow.js';
import { HoopError } from '../../../src/core/errors.js';
import { FakeTime, settle } from '../fake-time.js';
import { requestView } from '../request-view.js';

/** Follows feeds that the test writes, one after the other; `undefined` is an agent that is not there. */
function follow(feeds: readonly (Readable | Error)[]) {
  const time = new FakeTime();
  const ending = new AbortController();
  const news: RequestNews[] = [];
  const paths: string[] = [];
  let opened = 0;
  const done = (async () => {
    const following = followRequests({
      stream: async (path) => {
        paths.push(path);
        const feed = feeds[opened];
        opened += 1;
        if (feed === undefined || feed instanceof Error) throw feed ?? new HoopError('unreachable', 'no agent');
        return feed;
      },
      state: 'pending',
      mine: false,
      signal: ending.signal,
      time,
    });
    for await (const one of following) news.push(one);
  })();
  done.catch(() => undefined);
  return { time, news, paths, done, stop: () => ending.abort() };
}

const line = (event: unknown) => `${JSON.stringify(event)}\n`;
const kinds = (news: readonly RequestNews[]) => news.map((one) => (one.kind === 'lost' ? one.why : one.kind));

describe('following requests', () => {
  it('reads a snapshot and changes, however the network cut the lines, and passes over what it does not know', async () => {
    const feed = new PassThrough();
    const { news, paths, stop, done } = follow([feed]);
    const text = [
      line({ event: 'snapshot', requests: [] }),
      line({ event: 'ping' }),
      line({ event: 'of a newer agent' }),
      line({ event: 'request', request: requestView('a', { text: 'SELECT \u20ac' }) }),
    ].join('');
    for (const byte of Buffer.from(text)) feed.write(Buffer.of(byte));
    await settle();
    expect(news).toEqual([
      { kind: 'snapshot', requests: [] },
      { kind: 'request', request: requestView('a', { text: 'SELECT \u20ac' }) },
    ]);
    expect(paths).toEqual(['/v1/requests/events?state=pending&mine=false']);
    stop();
    await done;
  });

  it('comes back with growing delays, and starts anew with a snapshot', async () => {
    const [first, second] = [new PassThrough(), new PassThrough()];
    const { news, time, stop, done } = follow([first, new HoopError('unreachable', 'no agent'), second]);
    first.end(line({ event: 'snapshot', requests: [] }) + line({ event: 'end', reason: 'the agent is stopping' }));
    await settle();
    await settle();
    expect(news.at(-1)).toEqual({ kind: 'lost', why: 'the agent is stopping', inMs: 188 });
    await time.advance(188);
    expect(news.at(-1)).toEqual({ kind: 'lost', why: 'no agent', inMs: 375 });
    second.write(line({ event: 'snapshot', requests: [requestView('a')] }));
    await time.advance(375);
    await settle();
    expect(kinds(news)).toEqual(['snapshot', 'the agent is stopping', 'no agent', 'snapshot']);
    stop();
    await done;
  });

  it('takes 45 s of silence for a dead peer', async () => {
    const feed = new PassThrough();
    const { news, time, stop, done } = follow([feed]);
    feed.write(line({ event: 'snapshot', requests: [] }));
    await settle();
    await time.advance(44_000);
    feed.write(line({ event: 'ping' }));
    await settle();
    await time.advance(44_000);
    expect(kinds(news)).toEqual(['snapshot']);
    await time.advance(1_000);
    await vi.waitFor(() => expect(kinds(news)).toEqual(['snapshot', 'nothing was heard of the agent for 45 s']));
    expect(feed.destroyed).toBe(true);
    stop();
    await done;
  });

  it('gives up at once where the agent was never reached, and later where asking again can’t help', async () => {
    await expect(follow([new HoopError('unreachable', 'no agent')]).done).rejects.toThrow('no agent');
    const feed = new PassThrough();
    const later = follow([feed, new HoopError('not_logged_in', 'no token')]);
    feed.end(line({ event: 'snapshot', requests: [] }));
    await settle();
    await settle();
    await later.time.advance(1_000);
    await expect(later.done).rejects.toThrow('no token');
  });

  it('ends when told to, also in the middle of a pause', async () => {
    const feed = new PassThrough();
    const { done, stop } = follow([feed]);
    feed.end();
    await settle();
    stop();
    await done;
  });
});
