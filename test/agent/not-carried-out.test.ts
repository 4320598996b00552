import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { notCarriedOut } from '../../src/agent/not-carried-out.js';
import { loadConfig } from '../../src/config/load.js';
import { BUILT_IN_ENTITY_NAMES } from '../../src/masking/text-masker.js';

describe('notCarriedOut', () => {
  it('has nothing to say of the standard masks and rules', async () => {
    const found = async (file: string): Promise<readonly string[]> => {
      const path = join(import.meta.dirname, '../../examples/policies', file);
      const loaded = await loadConfig(path, {}, { requireAgent: false, entityNames: BUILT_IN_ENTITY_NAMES });
      if ('faults' in loaded) throw new Error(JSON.stringify(loaded.faults));
      return notCarriedOut(loaded.resources);
    };
    expect(await found('standard-masking.yaml')).toEqual([]);
    expect(await found('standard-sql.yaml')).toEqual([]);
  });
});
