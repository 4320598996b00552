import { describe, expect, it } from 'vitest';
import { upstreamAddresses } from '../../../src/protocols/http/named-addresses.js';

const PORT = { host: '127.0.0.1:9000', place: { upstream: 'https://dav.example.com/base', base: '' } };
const AGENT = { host: 'hoop.example.com', place: { upstream: 'http://dav.example.com:8080', base: '/c/files' } };

function named({ host, place }: typeof PORT, name: string, value: string): string {
  const told = upstreamAddresses([[name, value]], host, place);
  return 'code' in told ? `${told.code}: ${told.message}` : (told.headers[0]?.[1] ?? '');
}

describe('a header that names another resource', () => {
  it.each([
    ['http://127.0.0.1:9000/x/b.txt', 'https://dav.example.com/base/x/b.txt'],
    ['http://127.0.0.1:9000', 'http://127.0.0.1:9000'],
    ['http://127.0.0.1:9000/a%2Fb?q', 'https://dav.example.com/base/a%2Fb?q'],
    ['/x/b.txt', '/base/x/b.txt'],
    ['https://dav.example.com/base/x', 'https://dav.example.com/base/x'],
    ['http://127.0.0.1:9001/x', 'http://127.0.0.1:9001/x'],
    ['//127.0.0.1:9000/x', '//127.0.0.1:9000/x'],
  ])('of Destination %j at a local port is %j', (value, there) => {
    if (value.startsWith('//')) expect(named(PORT, 'destination', value)).toMatch(/^protocol: /);
    else expect(named(PORT, 'destination', value)).toBe(there);
  });

  it.each([
    ['https://hoop.example.com/c/files/x', 'http://dav.example.com:8080/x'],
    ['HTTPS://HOOP.example.com/c/files/x', 'http://dav.example.com:8080/x'],
    ['/c/files/x', '/x'],
    ['/c/files', '/'],
    ['/c/filesystem/x', '/c/filesystem/x'],
  ])('of Destination %j at the agent is %j', (value, there) => {
    expect(named(AGENT, 'destination', value)).toBe(there);
  });

  it('is refused where its path could lead out of the connection', () => {
    for (const path of ['/../x', '/a/%2e%2e/x', '/a%2F..%2Fx', '/a//b', '/a;b'])
      expect(named(PORT, 'destination', `http://127.0.0.1:9000${path}`)).toMatch(/^protocol: /);
  });

  it('of If is found beside locks and marks, which stay', () => {
    expect(
      named(PORT, 'if', '<http://127.0.0.1:9000/a> (<opaquelocktoken:1> ["e"]) <urn:x> </b> (Not <DAV:no-lock>)'),
    ).toBe('<https://dav.example.com/base/a> (<opaquelocktoken:1> ["e"]) <urn:x> </base/b> (Not <DAV:no-lock>)');
  });

  it('by another name stays as it is', () => {
    expect(named(PORT, 'referer', 'http://127.0.0.1:9000/x')).toBe('http://127.0.0.1:9000/x');
  });
});
