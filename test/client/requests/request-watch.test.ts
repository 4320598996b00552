import { expect, it } from 'vitest';
import type { RequestNews } from '../../../src/client/requests/request-follow.js';
import { watchRequests } from '../../../src/client/requests/request-watch.js';
import type { RequestView } from '../../../src/core/approval.js';
import { HoopError } from '../../../src/core/errors.js';
import { requestView as view } from '../request-view.js';

const snapshot = (...requests: readonly RequestView[]): RequestNews => ({ kind: 'snapshot', requests });
const change = (request: RequestView): RequestNews => ({ kind: 'request', request });
const lost: RequestNews = { kind: 'lost', why: 'the agent closed the connection', inMs: 250 };

async function watched(
  news: readonly RequestNews[],
  getOne: (path: string) => Promise<RequestView> = () => Promise.reject(new HoopError('not_found', 'no such request')),
): Promise<string[]> {
  const seen: string[] = [];
  async function* arriving(): AsyncGenerator<RequestNews> {
    yield* news;
  }
  const changes = watchRequests({ news: arriving(), getOne, onLost: (why) => seen.push(why) });
  for await (const request of changes) seen.push(`${request.id} ${request.state} ${String(request.votes.length)}`);
  return seen;
}

const vote = { subject: 'bob', issuer: '', email: '', groups: [], at: '' };

it('tells each request as it comes, at each vote and at its end, and nothing twice', async () => {
  const voted = view('a', { votes: [vote] });
  const news = [
    snapshot(view('a')),
    change(view('b')),
    change(view('b')),
    change(voted),
    change(view('a', { state: 'approved', votes: [vote] })),
  ];
  expect(await watched(news)).toEqual(['a pending 0', 'b pending 0', 'a pending 1', 'a approved 1']);
});

it('says once that the line is broken, and afterwards tells what came and what ended meanwhile', async () => {
  const ended = (path: string) => Promise.resolve(view(path.slice('/v1/requests/'.length), { state: 'denied' }));
  const news = [snapshot(view('b'), view('a')), lost, lost, snapshot(view('c'), view('b'))];
  expect(await watched(news, ended)).toEqual([
    'a pending 0',
    'b pending 0',
    'the agent closed the connection',
    'a denied 0',
    'c pending 0',
  ]);
});

it('goes on when a request is no longer the caller’s to see, and ends when the agent fails', async () => {
  expect(await watched([snapshot(view('a')), snapshot()])).toEqual(['a pending 0']);
  const gone = () => Promise.reject(new HoopError('unreachable', 'gone'));
  await expect(watched([snapshot(view('a')), snapshot()], gone)).rejects.toThrow('gone');
});
