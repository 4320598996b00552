import { describe, expect, it } from 'vitest';
import { newSession } from './conversation.js';
import { query } from './wire.js';

describe('PostgresSession, before it is open', () => {
  it('holds 1 MiB that a client sends ahead, and ends a session whose client sends more', () => {
    const session = newSession();
    session.start(new Uint8Array(0));
    const chunk = query('x'.repeat(512 * 1024 - 6));
    expect(chunk).toHaveLength(512 * 1024);
    expect(session.receive('client', chunk)).toEqual([]);
    expect(session.receive('client', chunk)).toEqual([]);
    const steps = session.receive('client', Uint8Array.of(0x53));
    expect(steps.map((step) => step.kind)).toEqual(['send', 'close']);
    expect(session.receive('client', chunk)).toEqual([]);
  });
});
