import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createAddressOf } from '../../../src/agent/http/client-address.js';

const addressOf = createAddressOf(['127.0.0.1', '10.0.0.0/8', '2001:db8::/32']);
const from = (remoteAddress: string | undefined, ...forwarded: readonly string[]): string =>
  addressOf({
    socket: { remoteAddress } as Socket,
    rawHeaders: forwarded.flatMap((value) => ['X-Forwarded-For', value]),
  });

describe('where a request comes from', () => {
  it('is the right-most address that is no trusted proxy', () => {
    expect(from('10.1.2.3', '203.0.113.5')).toBe('203.0.113.5');
    expect(from('10.1.2.3', '198.51.100.9, 203.0.113.5, 10.9.9.9')).toBe('203.0.113.5');
    expect(from('::ffff:10.1.2.3', '203.0.113.5')).toBe('203.0.113.5');
    expect(from('2001:db8::7', '2001:db9::1')).toBe('2001:db9::1');
    // Each proxy may add a line of its own.
    expect(from('10.1.2.3', '198.51.100.9', '203.0.113.5')).toBe('203.0.113.5');
  });

  it('is the peer where it is not trusted, or names nobody', () => {
    expect(from('203.0.113.77', '198.51.100.9')).toBe('203.0.113.77');
    expect(from('11.0.0.1', '198.51.100.9')).toBe('11.0.0.1');
    expect(from('10.1.2.3')).toBe('10.1.2.3');
    expect(from(undefined, '198.51.100.9')).toBe('');
    expect(
      createAddressOf([])({
        socket: { remoteAddress: '127.0.0.1' } as Socket,
        rawHeaders: ['X-Forwarded-For', '203.0.113.5'],
      }),
    ).toBe('127.0.0.1');
  });

  it('takes the ports and brackets that some proxies write', () => {
    expect(from('10.1.2.3', '203.0.113.5:4711')).toBe('203.0.113.5');
    expect(from('10.1.2.3', '[2001:db9::1]:4711')).toBe('2001:db9::1');
    expect(from('10.1.2.3', '::ffff:203.0.113.5')).toBe('203.0.113.5');
  });

  it('ends at the last proxy before what is no address: nobody can make up a source', () => {
    for (const made of ['unknown', '203.0.113.5, x', '203.0.113.5,', '203.0.113.5 203.0.113.6', '0x7f.1', ''])
      expect(from('10.1.2.3', made)).toBe('10.1.2.3');
    expect(from('10.1.2.3', 'x, 10.7.7.7')).toBe('10.7.7.7');
  });

  it('looks at 32 hops, however long a chain is', () => {
    expect(from('10.1.2.3', `203.0.113.5, ${Array<string>(5_000).fill('10.0.0.9').join(',')}`)).toBe('10.0.0.9');
  });
});
