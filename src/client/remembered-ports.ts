import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a local port belongs to: the same three always get the same port. */
export interface PortOwner {
  readonly profile: string;
  readonly agentUrl: string;
  readonly connection: string;
}

/**
 * Local ports by profile, agent and connection, so that nobody edits an IDE's settings twice.
 * One small file each: two programs that start together can't overwrite one another's entry.
 */
export class RememberedPorts {
  /** @param folder made (0700) when the first port is remembered */
  constructor(private readonly folder: string) {}

  /** @returns undefined where none is remembered, or the entry can't be read as one */
  async portOf(owner: PortOwner): Promise<number | undefined> {
    return readEntry(this.#fileOf(owner));
  }

  /** Ports that belong to any owner, so that a new one gets another. */
  async all(): Promise<ReadonlySet<number>> {
    const names = await readdir(this.folder).catch(() => []);
    const ports = await Promise.all(names.filter((name) => name.endsWith('.json')).map((name) => readEntry(join(this.folder, name))));
    return new Set(ports.filter((port) => port !== undefined));
  }

  async remember(owner: PortOwner, port: number): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const file = this.#fileOf(owner);
    const draft = `${file}.${randomBytes(6).toString('hex')}`;
    const entry = { profile: owner.profile, agentUrl: owner.agentUrl, connection: owner.connection, port };
    await writeFile(draft, `${JSON.stringify(entry)}\n`, { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
  }

  #fileOf(owner: PortOwner): string {
    const key = JSON.stringify([owner.profile, owner.agentUrl, owner.connection]);
    return join(this.folder, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
  }
}

async function readEntry(file: string): Promise<number | undefined> {
  try {
    const { port } = JSON.parse(await readFile(file, 'utf8')) as { port?: unknown };
    return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch {
    return undefined;
  }
}
