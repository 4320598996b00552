import { setTimeout as wait } from 'node:timers/promises';

import { HoopError } from '../../core/errors.js';
import type { AgentApi } from '../agent-api.js';

/** Tries after the stream broke off, each after twice the time; together about half a minute. */
const MAX_TRIES = 6;
const FIRST_WAIT_MS = 500;

/**
 * The bytes of a session's recording while it is written, until it is sealed. Where the stream breaks off (the agent
 * starts anew, the token was replaced, the network changed) it goes on from where it was.
 *
 * @throws HoopError `not_found`, `token_refused`, or `unreachable` where the agent stays away
 */
export async function* followSession(agent: AgentApi, id: string): AsyncGenerator<Uint8Array> {
  let received = 0;
  for (let tries = 0; ; tries += 1) {
    if (tries > 0) await wait(FIRST_WAIT_MS * 2 ** (tries - 1));
    let skipped = 0;
    try {
      const stream = (await agent.stream(`/v1/sessions/${id}/recording?follow=true`)) as AsyncIterable<Uint8Array>;
      for await (const chunk of stream) {
        const known = Math.min(chunk.length, received - skipped);
        skipped += known;
        if (known === chunk.length) continue;
        received += chunk.length - known;
        skipped += chunk.length - known;
        tries = 0;
        yield chunk.subarray(known);
      }
      return;
    } catch (cause) {
      if (cause instanceof HoopError && cause.code !== 'unreachable') throw cause;
      if (tries < MAX_TRIES) continue;
      throw new HoopError('unreachable', 'the agent broke off the recording', { cause });
    }
  }
}
