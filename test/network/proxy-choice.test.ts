import { describe, expect, it } from 'vitest';
import type { HoopError } from '../../src/core/errors.js';
import { proxyFor } from '../../src/network/proxy-choice.js';

const agent = new URL('wss://agent.example.com/v1/tunnel/postgres');
const at = (target: URL, env: Record<string, string>): string | undefined => {
  const proxy = proxyFor(target, env);
  return proxy && `${proxy.host}:${String(proxy.port)}`;
};

describe('proxyFor', () => {
  it('takes HTTPS_PROXY for https and wss, HTTP_PROXY for http and ws, ALL_PROXY for what is left', () => {
    const env = { HTTPS_PROXY: 'http://secure:1', HTTP_PROXY: 'http://plain:2' };
    expect(at(agent, env)).toBe('secure:1');
    expect(at(new URL('ws://agent.example.com/'), env)).toBe('plain:2');
    expect(at(agent, { ALL_PROXY: 'proxy:3' })).toBe('proxy:3');
    expect(at(agent, { HTTP_PROXY: 'plain:2' })).toBeUndefined();
  });

  it('prefers the lower-case spelling, and takes an empty one for none', () => {
    expect(at(agent, { https_proxy: 'small:1', HTTPS_PROXY: 'big:2' })).toBe('small:1');
    expect(at(agent, { https_proxy: '', HTTPS_PROXY: 'big:2' })).toBeUndefined();
  });

  it('reads user and password, escaped characters too', () => {
    expect(proxyFor(agent, { HTTPS_PROXY: 'http://ann:p%40ss@proxy:8080' })?.authorization).toBe(
      `Basic ${Buffer.from('ann:p@ss').toString('base64')}`,
    );
  });

  it.each([
    ['agent.example.com', true],
    ['.example.com', true],
    ['*.example.com', true],
    ['example.com', true],
    ['AGENT.example.com:443', true],
    ['agent.example.com:444', false],
    ['ample.com', false],
    ['other.org, ,agent.example.com', true],
    ['*', true],
    ['', false],
  ])('NO_PROXY %j excepts agent.example.com: %s', (list, excepted) => {
    expect(at(agent, { HTTPS_PROXY: 'proxy:1', NO_PROXY: list }) === undefined).toBe(excepted);
  });

  it.each([
    ['https://10.1.2.3', '10.0.0.0/8', true],
    ['https://11.1.2.3', '10.0.0.0/8', false],
    ['https://[fd00::1]', 'fd00::/8', true],
    ['https://[fd00::1]:8443', 'fd00::1', true],
    ['https://10.1.2.3', '10.0.0.0/99', false],
    ['https://10.1.2.3', '2.3', false],
  ])('for %s, NO_PROXY %j excepts: %s', (target, list, excepted) => {
    expect(at(new URL(target), { HTTPS_PROXY: 'proxy:1', NO_PROXY: list }) === undefined).toBe(excepted);
  });

  it('reaches loopback through a proxy on loopback, never through one elsewhere', () => {
    const local = new URL('https://127.0.0.1:8443');
    expect(at(local, { HTTPS_PROXY: 'http://proxy.example.com:1' })).toBeUndefined();
    expect(at(local, { HTTPS_PROXY: 'http://localhost:1' })).toBe('localhost:1');
  });

  it.each(['socks5://proxy:1', 'ftp://proxy', 'http://', 'http://user:secret@'])(
    'refuses %s without showing it',
    (value) => {
      const fault = ((): unknown => {
        try {
          return proxyFor(agent, { HTTPS_PROXY: value });
        } catch (error) {
          return error;
        }
      })() as HoopError;
      expect(fault.code).toBe('usage');
      expect(`${fault.message} ${String(fault.why)} ${fault.suggestion}`).not.toContain('secret');
    },
  );
});
