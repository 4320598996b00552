import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { LiveResources } from '../../../src/agent/resources/live-resources.js';
import { makeFolder } from '../../support/folders.js';
import { agentDocuments } from '../agent-documents.js';

/** A file system on which one file takes its time: `begun` once it is being read, given out after `release`. */
const slow = vi.hoisted(() => ({ file: '', begun: (): void => undefined, release: Promise.resolve() }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const readFile = async (...args: Parameters<typeof real.readFile>): Promise<unknown> => {
    const read = await real.readFile(...args);
    if (slow.file === '' || args[0] !== slow.file) return read;
    slow.begun();
    await slow.release;
    return read;
  };
  return { ...real, readFile };
});

const policy = (name: string): string => `apiVersion: hoop/v1
kind: Policy
metadata: { name: ${name} }
spec: { rules: [{ name: all, when: 'true', action: block }] }
`;

let dir = '';

it('a reload that is overtaken by a later one does not put back what it had read', async () => {
  dir = makeFolder('live');
  const [policies, last] = [join(dir, 'policies.yaml'), join(dir, 'z.yaml')];
  await writeFile(join(dir, 'agent.yaml'), agentDocuments());
  await writeFile(policies, policy('first'));
  await writeFile(last, '');
  const live = await LiveResources.load(dir, { MASTER_KEY: Buffer.alloc(32, 7).toString('base64') });
  const names = (): readonly string[] => live.current.policySet.policies.map(({ name }) => name);

  let release = (): void => undefined;
  slow.release = new Promise((resolve) => (release = resolve));
  const begun = new Promise<void>((resolve) => (slow.begun = resolve));
  slow.file = last;
  const overtaken = live.reload(() => 'first');
  // Files are read in the order of their names: by now it has read the policies.
  await begun;
  slow.file = '';
  await unlink(last);
  await writeFile(policies, policy('second'));

  expect(await live.reload(() => 'second')).toEqual({ made: 'second' });
  expect(names()).toEqual(['second']);
  release();
  expect(await overtaken).toEqual({ made: undefined });
  expect(names()).toEqual(['second']);
});
