import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Config, Errors, handle, Plugin, run } from '@oclif/core';
import type { Command, Interfaces } from '@oclif/core';
import { HoopError } from '../core/errors.js';
import { createColours } from './colours.js';
import { refuseUnknown } from './command-not-found.js';
import { errorLines, errorReport } from './error-report.js';
import { asksForJson } from './json-spelling.js';

/** Gives the module of a command by its id, e.g. `agent:start`. */
export type CommandModules = Readonly<Record<string, () => Promise<{ readonly default: Command.Class }>>>;

export interface MainOptions {
  /** The package's folder. */
  readonly root: string;
  /** Its package.json. */
  readonly pjson: object;
  /** The commands of the bundle; others are read from their files. */
  readonly modules?: CommandModules;
}

/** oclif's view of hoop: commands from the manifest, their code from the bundle where it is there. */
class HoopPlugin extends Plugin {
  #modules: CommandModules | undefined;

  with(modules: CommandModules | undefined): this {
    this.#modules = modules;
    return this;
  }

  /**
   * With the bundle, what oclif's own loading comes to for one plugin with a manifest. Its own sorts the commands as
   * people of this locale do, and V8 takes longer to read the rules of that than all else here takes.
   */
  override async load(): Promise<void> {
    if (this.#modules === undefined) {
      await super.load();
      return;
    }
    const { root, pjson } = this.options as { readonly root: string; readonly pjson: Interfaces.PJSON };
    const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as Plugin['manifest'];
    const { name, version } = pjson;
    Object.assign(this, { root, pjson, name, alias: name, version, manifest });
    Object.assign(this, {
      type: 'core',
      isRoot: true,
      valid: true,
      moduleType: 'module',
      hasManifest: true,
      hooks: {},
    });
    this.commandIDs = Object.keys(manifest.commands).sort();
    this.commands = this.commandIDs.map((id) => ({
      ...(manifest.commands[id] as Command.Cached),
      load: () => this.findCommand(id, { must: true }),
      pluginAlias: name,
      pluginType: 'core',
    }));
  }

  override findCommand(id: string, options: { must: true }): Promise<Command.Class>;
  override findCommand(id: string, options?: { must: boolean }): Promise<Command.Class | undefined>;
  override async findCommand(id: string, options?: { must: boolean }): Promise<Command.Class | undefined> {
    const modules = this.#modules ?? {};
    const module = Object.hasOwn(modules, id) ? modules[id] : undefined;
    if (module === undefined) {
      if (this.#modules !== undefined) await super.load();
      return super.findCommand(id, options);
    }
    const command = (await module()).default;
    command.id = id;
    command.plugin = this;
    return command;
  }
}

/** Without themes, a file of oclif's that it would look for at each start: hoop's colours say something. */
class HoopConfig extends Config {
  override scopedEnvVarTrue(key: string): boolean {
    return key === 'DISABLE_THEME' || super.scopedEnvVarTrue(key);
  }
}

/** Runs one command line to its end, and sets the exit status. */
export async function main(argv: readonly string[], { root, pjson, modules }: MainOptions): Promise<void> {
  try {
    const shared = { isRoot: true, root, pjson: pjson as Interfaces.PJSON };
    const plugin = new HoopPlugin(shared).with(modules);
    await plugin.load();
    const config = new HoopConfig({ ...shared, plugins: new Map([[plugin.name, plugin]]) });
    await config.load();
    refuseUnknown(argv, config);
    await run([...argv], config);
  } catch (error) {
    if (error instanceof HoopError) tell(error, argv);
    // A status that was told already. oclif would first format the stack of it.
    else if (error instanceof Errors.ExitError) process.exit(error.oclif.exit);
    else await handle(error as Error);
  }
}

/** A failure before any command could tell it. */
function tell(error: HoopError, argv: readonly string[]): void {
  if (asksForJson(argv)) process.stdout.write(`${JSON.stringify(errorReport(error))}\n`);
  else {
    const colours = createColours({ stream: 'stderr', noColor: argv.includes('--no-color'), env: process.env });
    process.stderr.write(`${errorLines(error, colours)}\n`);
  }
  process.exitCode = error.exitStatus;
}
