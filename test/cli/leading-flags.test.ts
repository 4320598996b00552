import { describe, expect, it } from 'vitest';
import { moveLeadingFlags } from '../../src/cli/leading-flags.js';

const moved = (line: string): string => moveLeadingFlags(line.split(' ')).join(' ');

describe('global flags before the command', () => {
  it.each([
    ['--json connections', 'connections --json'],
    ['--profile staging --no-color policy test', 'policy test --profile staging --no-color'],
    ['--agent=https://a.example.com:8443 ls', 'ls --agent=https://a.example.com:8443'],
    ['--json exec postgres -- psql --json', 'exec postgres --json -- psql --json'],
  ])('%s means %s', (typed, means) => {
    expect(moved(typed)).toBe(means);
  });

  it.each([
    'connections --json',
    '--version',
    '--help',
    '--json',
    '--json --help',
    '--wait 1s exec',
    '--json=1 ls',
    '',
  ])('%j stays as it is', (line) => {
    expect(moved(line)).toBe(line);
  });
});
