import { describe, expect, it } from 'vitest';
import { decide } from '../../src/policy/decide.js';
import { explain } from '../../src/policy/explanation.js';
import { pathReadings } from '../../src/policy/path-readings.js';
import type { Action, Facts } from '../../src/policy/types.js';
import { contextOf, policy, setOf } from './policy-fixtures.js';

const context = contextOf({ connection: 'crm', type: 'http' });
const request = (path: string): Facts => ({ http: { method: 'GET', path, query: {}, headers: {}, host: 'crm' } });
const setWith = (when: string, action: Action, more: object = {}) =>
  setOf(policy('p', { rules: [{ name: 'r', when, action }], ...more }));
const verdict = (when: string, path: string, action: Action = 'block', more: object = {}): string =>
  decide(setWith(when, action, more), context, request(path)).action;

describe('a path with encoded slashes', () => {
  it('is read as it stands, with its slashes decoded, and with empty segments merged', () => {
    const paths = (path: string): unknown[] => pathReadings(request(path)).map(({ http }) => http?.['path']);
    expect(paths('/a/b')).toEqual(['/a/b']);
    expect(paths('/@corp%2Flib')).toEqual(['/@corp%2Flib', '/@corp/lib']);
    expect(paths('/queues/%2F/jobs')).toEqual(['/queues/%2F/jobs', '/queues///jobs', '/queues/jobs']);
  });

  it('is blocked by a rule that meets it in any way that a server may read it', () => {
    expect(verdict('http.path.startsWith("/admin/")', '/admin%2Fusers')).toBe('block');
    expect(verdict('http.path == "/admin/users"', '/admin/%2Fusers')).toBe('block');
    expect(verdict('http.path.matches("^/projects/[^/]+$")', '/projects/a%2Fb')).toBe('block');
    expect(verdict('!http.path.startsWith("/api/")', '/api%2Forders')).toBe('block');
    expect(verdict('http.path.startsWith("/admin/")', '/@corp%2Flib')).toBe('allow');
    expect(verdict('http.path.startsWith("/admin/")', '/admin%2Fusers', 'warn')).toBe('warn');
  });

  it('is allowed by a rule that meets it in all of them', () => {
    const block = { default: 'block' };
    expect(verdict('http.path.startsWith("/packages/")', '/packages/@corp%2Flib', 'allow', block)).toBe('allow');
    expect(verdict('http.path.startsWith("/public/")', '/public%2Fx', 'allow', block)).toBe('block');
    expect(verdict('!http.path.startsWith("/admin/")', '/admin%2Fx', 'allow', block)).toBe('block');
  });

  it('is explained by the reading that the rule meets', () => {
    const [explained] = explain(setWith('http.path.startsWith("/admin/")', 'block'), context, request('/admin%2Fx'));
    expect(explained).toMatchObject({ result: 'matched' });
    expect(JSON.stringify(explained?.why)).toContain('/admin/x');
    expect(JSON.stringify(explained?.why)).not.toContain('%2F');
  });
});
