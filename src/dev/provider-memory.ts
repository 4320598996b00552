import type { Adapter, Payload } from 'oidc-provider';

interface Kept {
  payload: Payload;
  readonly endsAtMs: number;
}

/** Where the trial provider keeps its tokens and sessions: in this process, for as long as it runs. */
export function providerMemory(): new (model: string) => Adapter {
  const kept = new Map<string, Kept>();
  const live = (entry: Kept | undefined): Payload | undefined =>
    entry !== undefined && entry.endsAtMs > Date.now() ? entry.payload : undefined;

  return class Memory implements Adapter {
    constructor(private readonly model: string) {}

    async upsert(id: string, payload: Payload, expiresIn: number): Promise<void> {
      const endsAtMs = expiresIn > 0 ? Date.now() + expiresIn * 1000 : Number.POSITIVE_INFINITY;
      kept.set(this.#key(id), { payload, endsAtMs });
    }

    async find(id: string): Promise<Payload | undefined> {
      return live(kept.get(this.#key(id)));
    }

    async findByUserCode(userCode: string): Promise<Payload | undefined> {
      return this.#findWhere('userCode', userCode);
    }

    async findByUid(uid: string): Promise<Payload | undefined> {
      return this.#findWhere('uid', uid);
    }

    async consume(id: string): Promise<void> {
      const entry = kept.get(this.#key(id));
      if (entry !== undefined) entry.payload = { ...entry.payload, consumed: Math.floor(Date.now() / 1000) };
    }

    async destroy(id: string): Promise<void> {
      kept.delete(this.#key(id));
    }

    async revokeByGrantId(grantId: string): Promise<void> {
      for (const [key, { payload }] of kept) if (payload['grantId'] === grantId) kept.delete(key);
    }

    #key(id: string): string {
      return `${this.model}:${id}`;
    }

    #findWhere(field: string, value: string): Payload | undefined {
      for (const [key, entry] of kept) {
        if (key.startsWith(`${this.model}:`) && entry.payload[field] === value) return live(entry);
      }
      return undefined;
    }
  };
}
