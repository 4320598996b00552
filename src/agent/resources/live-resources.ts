import { formatFault } from '../../config/fault.js';
import { loadConfig } from '../../config/load.js';
import type { Resources } from '../../config/resources.js';
import { HoopError } from '../../core/errors.js';
import type { AgentResource } from '../../core/resources.js';
import { BUILT_IN_ENTITY_NAMES } from '../../masking/text-masker.js';

type Env = Readonly<Record<string, string | undefined>>;

/** The resources in force. A reload changes all of them or none; readers ask anew each time. */
export class LiveResources {
  /** How often a reload was asked for, and which of these is in force. */
  #asked = 0;
  #inForce = 0;

  private constructor(
    private readonly dir: string,
    private readonly env: Env,
    /** Listener, store and recordings stay as they were at the start; who has which role, and what is too much, do not. */
    public agent: AgentResource,
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

  /**
   * Of several that run at the same time, what was read last counts, whichever is done first.
   *
   * @param prepare makes what is needed of new resources before they are in force
   * @returns the faults, which change nothing; else what `prepare` made, undefined where a later reload was quicker
   * @throws what `prepare` throws, which changes nothing either
   */
  async reload<Made>(
    prepare: (next: Resources) => Made,
  ): Promise<{ readonly faults: readonly string[] } | { readonly made: Made | undefined }> {
    this.#asked += 1;
    const turn = this.#asked;
    const loaded = await read(this.dir, this.env);
    if ('faults' in loaded) return { faults: loaded.faults };
    if (turn < this.#inForce) return { made: undefined };
    const made = prepare(loaded.resources);
    this.#inForce = turn;
    const { roles, limits } = loaded.resources.agent ?? this.agent;
    this.agent = { ...this.agent, roles, limits };
    this.current = loaded.resources;
    return { made };
  }
}

async function read(
  dir: string,
  env: Env,
): Promise<{ readonly resources: Resources } | { readonly faults: readonly string[] }> {
  const loaded = await loadConfig(dir, env, { requireAgent: true, entityNames: BUILT_IN_ENTITY_NAMES });
  return 'faults' in loaded ? { faults: loaded.faults.map(formatFault) } : loaded;
}
