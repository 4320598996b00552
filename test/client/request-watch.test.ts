import { expect, it } from 'vitest';
import { watchRequests } from '../../src/client/request-watch.js';
import type { RequestView } from '../../src/core/approval.js';
import { HoopError } from '../../src/core/errors.js';
import { heldStatement, person } from '../approvals/desk.js';

function view(id: string, more: Partial<RequestView> = {}): RequestView {
  const { bindHash: _hidden, ...held } = heldStatement(person('alice', []));
  return {
    ...held,
    id,
    createdAt: '',
    expiresAt: '',
    state: 'pending',
    votes: [],
    decidedBy: '',
    decidedAt: '',
    decisionReason: '',
    mayDecide: true,
    ...more,
  };
}

async function watched(
  looks: readonly (readonly RequestView[])[],
  one: (path: string) => Promise<RequestView>,
): Promise<string[]> {
  let look = 0;
  const seen: string[] = [];
  const changes = watchRequests({
    state: 'pending',
    mine: false,
    get: (path) => {
      expect(path).toBe('/v1/requests?state=pending&mine=false');
      return Promise.resolve(looks[look] ?? []);
    },
    getOne: one,
    pause: () => Promise.resolve((look += 1) < looks.length),
  });
  for await (const request of changes) seen.push(`${request.id} ${request.state} ${request.votes.length}`);
  return seen;
}

it('tells each request as it comes, at each vote and at its end, and nothing twice', async () => {
  const vote = { subject: 'bob', issuer: '', email: '', groups: [], at: '' };
  const voted = view('a', { votes: [vote] });
  const looks = [[view('a')], [view('b'), view('a')], [view('b'), voted], [view('b')], [view('b')]];
  const ended = (path: string) =>
    Promise.resolve(view(path.slice('/v1/requests/'.length), { state: 'approved', votes: [vote] }));
  expect(await watched(looks, ended)).toEqual(['a pending 0', 'b pending 0', 'a pending 1', 'a approved 1']);
});

it('goes on when a request is no longer the caller’s to see, and ends when the agent fails', async () => {
  expect(
    await watched([[view('a')], [], []], () => Promise.reject(new HoopError('not_found', 'no such request'))),
  ).toEqual(['a pending 0']);
  await expect(watched([[view('a')], []], () => Promise.reject(new HoopError('unreachable', 'gone')))).rejects.toThrow(
    'gone',
  );
});
