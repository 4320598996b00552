import { Config, handle, Plugin, run } from '@oclif/core';
import type { Command, Interfaces } from '@oclif/core';
import { HoopError } from '../core/errors.js';
import { createColours } from './colours.js';
import { refuseUnknown } from './command-not-found.js';
import { errorLines, errorReport } from './error-report.js';

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
  #modules: CommandModules = {};

  with(modules: CommandModules | undefined): this {
    this.#modules = modules ?? {};
    return this;
  }

  override findCommand(id: string, options: { must: true }): Promise<Command.Class>;
  override findCommand(id: string, options?: { must: boolean }): Promise<Command.Class | undefined>;
  override async findCommand(id: string, options?: { must: boolean }): Promise<Command.Class | undefined> {
    const module = Object.hasOwn(this.#modules, id) ? this.#modules[id] : undefined;
    if (module === undefined) return super.findCommand(id, options);
    const command = (await module()).default;
    command.id = id;
    command.plugin = this;
    return command;
  }
}

/** Runs one command line to its end, and sets the exit status. */
export async function main(argv: readonly string[], { root, pjson, modules }: MainOptions): Promise<void> {
  try {
    const shared = { isRoot: true, root, pjson: pjson as Interfaces.PJSON };
    const plugin = new HoopPlugin(shared).with(modules);
    await plugin.load();
    const config = await Config.load({ ...shared, plugins: new Map([[plugin.name, plugin]]) });
    refuseUnknown(argv, config);
    await run([...argv], config);
  } catch (error) {
    if (error instanceof HoopError) tell(error, argv);
    else await handle(error as Error);
  }
}

/** A failure before any command could tell it. */
function tell(error: HoopError, argv: readonly string[]): void {
  if (argv.includes('--json')) process.stdout.write(`${JSON.stringify(errorReport(error))}\n`);
  else {
    const colours = createColours({ stream: 'stderr', noColor: argv.includes('--no-color'), env: process.env });
    process.stderr.write(`${errorLines(error, colours)}\n`);
  }
  process.exitCode = error.exitStatus;
}
