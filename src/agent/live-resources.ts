import { formatFault } from '../config/fault.js';
import { loadConfig } from '../config/load.js';
import type { Resources } from '../config/resources.js';
import { HoopError } from '../core/errors.js';
import type { AgentResource } from '../core/resources.js';
import { BUILT_IN_ENTITY_NAMES } from '../masking/text-masker.js';

type Env = Readonly<Record<string, string | undefined>>;

/** The resources in force. A reload changes all of them or none; readers ask anew each time. */
export class LiveResources {
  private constructor(
    private readonly dir: string,
    private readonly env: Env,
    /** Listener, store and recordings stay as they were at the start. */
    readonly agent: AgentResource,
    public current: Resources,
  ) {}

  /** @throws HoopError config_invalid, a line for each fault */
  static async load(dir: string, env: Env): Promise<LiveResources> {
    const loaded = await read(dir, env);
    if ('faults' in loaded) throw new HoopError('config_invalid', loaded.faults.join('\n'));
    const { agent } = loaded.resources;
    if (agent === undefined) throw new HoopError('config_invalid', 'no resource of kind Agent');
    return new LiveResources(dir, env, agent, loaded.resources);
  }

  /** @returns the faults; empty when the new resources are in force */
  async reload(): Promise<readonly string[]> {
    const loaded = await read(this.dir, this.env);
    if ('faults' in loaded) return loaded.faults;
    this.current = loaded.resources;
    return [];
  }
}

async function read(
  dir: string,
  env: Env,
): Promise<{ readonly resources: Resources } | { readonly faults: readonly string[] }> {
  const loaded = await loadConfig(dir, env, { requireAgent: true, entityNames: BUILT_IN_ENTITY_NAMES });
  return 'faults' in loaded ? { faults: loaded.faults.map(formatFault) } : loaded;
}
