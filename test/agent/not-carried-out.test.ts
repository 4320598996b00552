import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { notCarriedOut } from '../../src/agent/not-carried-out.js';
import { loadConfig } from '../../src/config/load.js';
import { BUILT_IN_ENTITY_NAMES } from '../../src/masking/text-masker.js';

describe('notCarriedOut', () => {
  it('names the inference of the standard masks, which this version does not hold back, and nothing of the standard rules', async () => {
    const found = async (file: string): Promise<readonly string[]> => {
      const path = join(import.meta.dirname, '../../examples/policies', file);
      const loaded = await loadConfig(path, {}, { requireAgent: false, entityNames: BUILT_IN_ENTITY_NAMES });
      if ('faults' in loaded) throw new Error(JSON.stringify(loaded.faults));
      return notCarriedOut(loaded.resources);
    };
    expect(await found('standard-masking.yaml')).toEqual([
      expect.stringMatching(/^inference of policy standard-masking/),
    ]);
    expect(await found('standard-sql.yaml')).toEqual([]);
  });
});
