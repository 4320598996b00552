import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { shellFile, writeShellFiles } from '../../src/dev/shell-files.js';
import type { TrialStack } from '../../src/dev/trial-stack.js';
import { makeFolder } from '../support/folders.js';

const folder = makeFolder("it's here");

const stack = {
  agentUrl: 'http://127.0.0.1:1',
  machine: { clientId: 'hoop-ci', clientSecret: 'trial-secret' },
  users: [{ id: 'alice', email: 'alice@example.com', groups: [] }],
  configDir: (user: string) => join(folder, user),
} as unknown as TrialStack;

describe('the file that makes a terminal somebody’s', () => {
  it('says which agent, whose configuration and what hoop is, in any folder, and is its owner’s alone', async () => {
    await writeShellFiles(stack);
    const script =
      'source "$1"; hoop version --json >/dev/null && echo "$HOOP_AGENT_URL $HOOP_CONFIG_DIR $HOOP_CLIENT_ID"';
    const run = (user: string): string =>
      execFileSync('bash', ['-c', script, 'bash', shellFile(stack, user)], { encoding: 'utf8' });
    expect(run('alice')).toBe(`http://127.0.0.1:1 ${join(folder, 'alice')} \n`);
    expect(run('ci')).toBe(`http://127.0.0.1:1 ${join(folder, 'ci')} hoop-ci\n`);
    expect(statSync(shellFile(stack, 'ci')).mode & 0o777).toBe(0o600);
  });
});
