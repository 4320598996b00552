import { Command, Errors, Flags } from '@oclif/core';
import type { Interfaces } from '@oclif/core';
import { AgentApi } from '../client/agent-api.js';
import { givenToken, tokenToAdvise } from '../client/given-token.js';
import { openProfile } from '../client/login/profile.js';
import type { Profile } from '../client/login/profile.js';
import { toJsonLine } from '../core/display.js';
import { EXIT, HoopError } from '../core/errors.js';
import { createColours } from './colours.js';
import type { Colours } from './colours.js';
import { errorLines, errorReport, toHoopError } from './error-report.js';
import { asksForJson, FORMAT_FLAGS, spellJson } from './json-spelling.js';
import { renderTable } from './table.js';
import type { Column } from './table.js';

const GLOBAL = 'GLOBAL';

/**
 * Exit status of a command whose reader left while there was still something to run: as of a program that SIGPIPE ends,
 * which is 13 wherever there is one (https://man7.org/linux/man-pages/man7/signal.7.html).
 */
export const CUT_SHORT = 128 + 13;

interface GivenFlags {
  readonly json?: boolean | undefined;
  readonly agent?: string | undefined;
  readonly profile?: string | undefined;
}

/**
 * What every command of hoop shares: the global flags, where text goes, and how a failure is told.
 *
 * Results go to stdout, everything else to stderr. A command parses, calls and prints; it never
 * formats an error: it throws `HoopError` and this class prints it and sets the exit status.
 */
export abstract class HoopCommand extends Command {
  static override baseFlags = {
    json: Flags.boolean({ description: 'machine output on stdout', helpGroup: GLOBAL }),
    'no-color': Flags.boolean({ description: 'no colours (also NO_COLOR)', helpGroup: GLOBAL }),
    agent: Flags.string({
      description: 'address of the agent',
      env: 'HOOP_AGENT_URL',
      helpGroup: GLOBAL,
      helpValue: 'URL',
    }),
    profile: Flags.string({ description: 'profile to use', env: 'HOOP_PROFILE', helpGroup: GLOBAL, helpValue: 'NAME' }),
  };

  /** Where people are told something while a screen has the terminal; stderr where it is not set. */
  protected speak: ((text: string) => void) | undefined;
  /** Exit status where whoever read stdout left early: done, for a command that only shows what is there. */
  protected unreadStatus: number = EXIT.done;
  #given: GivenFlags & Record<string, unknown> = {};
  #profile: Profile | undefined;

  protected override async init(): Promise<void> {
    await super.init();
    // First of the listeners: oclif's own throws, and Node then prints the source of the whole bundle.
    process.stdout.prependListener('error', (error: NodeJS.ErrnoException) => {
      this.#endWithoutOutput(error);
    });
    process.stderr.on('error', () => {
      // Nobody reads messages any more; the result still counts.
    });
  }

  protected override async parse<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    B extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(options?: Interfaces.Input<F, B, A>, argv?: string[]): Promise<Interfaces.ParserOutput<F, B, A>> {
    const given = options ?? (this.ctor as unknown as Interfaces.Input<F, B, A>);
    const { flags, baseFlags, args } = given;
    const parsed = await super.parse<F, B, A>(
      { ...given, flags, baseFlags, args: leaveStdin(args) } as typeof given,
      spellJson(argv ?? this.argv, ownFlags(flags)),
    );
    this.#given = parsed.flags;
    return parsed;
  }

  /** Was machine output asked for? Reads the arguments themselves, so that it also answers when they don't parse. */
  override jsonEnabled(): boolean {
    if (!this.parsed) return asksForJson(this.argv);
    return this.#given.json === true || FORMAT_FLAGS.some((name) => this.#given[name] === 'json');
  }

  /** The colours of stdout, for results. */
  protected get colours(): Colours {
    return this.#colours('stdout');
  }

  /** The colours of stderr, for messages. */
  protected get messageColours(): Colours {
    return this.#colours('stderr');
  }

  /** Says something to people, on stderr. The caller escapes data (`messageColours.plain`). */
  protected say(text: string): void {
    if (this.speak === undefined) process.stderr.write(`${text}\n`);
    else this.speak(text);
  }

  /** Prints a result or a part of one, on stdout. The caller escapes data (`colours.plain`). */
  protected print(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** Prints a value as one line of JSON; what could act on a terminal is written as `\u….` */
  protected printJson(value: unknown): void {
    this.print(toJsonLine(value));
  }

  /** Prints a request for access that is left for later: its id, or under `--json` all of it. */
  protected askedFor(): (request: { readonly id: string }) => void {
    return (request) => {
      if (this.jsonEnabled()) this.printJson(request);
      else this.print(request.id);
    };
  }

  /** Prints a list: one JSON array under `--json`, else columns; `empty` is said where there is nothing. */
  protected printList<T>(
    items: readonly T[],
    columns: readonly Column<T>[],
    options: { readonly empty?: string; readonly leftOut?: string } = {},
  ): void {
    if (this.jsonEnabled()) this.printJson(items);
    else if (items.length > 0) this.#printTable(items, columns, options.leftOut ?? 'a wider terminal shows them');
    else if (options.empty !== undefined) this.say(options.empty);
  }

  /** @param hint how to see columns that have no room */
  #printTable<T>(items: readonly T[], columns: readonly Column<T>[], hint: string): void {
    // Without a terminal, and where it does not say how wide it is, nothing is cut.
    const { isTTY, columns: width } = process.stdout;
    const fit = isTTY && width > 0 ? { width } : {};
    const { text, leftOut } = renderTable(items, columns, this.colours, fit);
    this.print(text);
    if (leftOut.length > 0) this.say(this.messageColours.dim(`not shown: ${leftOut.join(', ')} (${hint})`));
  }

  /**
   * The profile that the flags and the environment name. Parse first.
   *
   * @param agent address that goes before that of flag, environment and file
   * @throws HoopError `config_missing` where no agent is known
   */
  protected profile(agent?: string): Profile {
    this.#profile ??= openProfile({ env: process.env, name: this.#given.profile, agent: agent ?? this.#given.agent });
    return this.#profile;
  }

  /** Takes agent and profile from words that are not this command's own: those of the line to complete. */
  protected useGlobals({ agent, profile }: Pick<GivenFlags, 'agent' | 'profile'>): void {
    this.#given = { ...this.#given, agent: agent ?? this.#given.agent, profile: profile ?? this.#given.profile };
  }

  /** The agent of the profile, with the caller's token. Parse first. */
  protected agentApi(): AgentApi {
    return new AgentApi({
      url: this.profile().agentUrl,
      token: () => this.accessToken(),
      caFile: process.env['HOOP_CA_FILE'],
      given: tokenToAdvise(process.env),
    });
  }

  /** A token that is valid now, refreshed where it nears its end. Throws `not_logged_in`, `token_refused`. */
  protected async accessToken(): Promise<string> {
    // Loaded here: the login libraries are not needed by commands that never call the agent.
    const { accessToken } = await import('../identity/access-token.js');
    return accessToken(this.profile().login(), { say: (text) => this.say(text) });
  }

  /** Resolves once the login that `accessToken` takes tokens from is gone; never where they come from the environment. */
  protected async loginEnded(ended: AbortSignal): Promise<void> {
    if (givenToken(process.env) !== undefined) return new Promise<never>(() => undefined);
    const [{ TokenStore }, { loginEnded }] = await Promise.all([
      import('../identity/token-store.js'),
      import('../client/login/login-watch.js'),
    ]);
    const place = this.profile().login();
    return loginEnded(new TokenStore({ ...place, say: (text) => this.say(text) }), place, ended);
  }

  protected override logJson(json: unknown): void {
    this.printJson(json);
  }

  protected override toErrorJson(thrown: unknown): unknown {
    return errorReport(toHoopError(thrown, this.#flagNames()));
  }

  protected override async catch(thrown: Error & { exitCode?: number }): Promise<void> {
    // `this.exit(status)`: a child's own code, already told.
    if (thrown instanceof Errors.ExitError) throw thrown;
    const error = toHoopError(thrown, this.#flagNames());
    this.debug(thrown.stack);
    if (!this.jsonEnabled()) this.say(errorLines(error, this.messageColours));
    // oclif prints the JSON object, and takes the status from here: without it every failure exits 1.
    process.exitCode = error.exitStatus;
    if (this.jsonEnabled()) await super.catch(Object.assign(error, { exitCode: error.exitStatus }));
    // Ends the process even where a socket is still open.
    this.exit(error.exitStatus);
  }

  /** Who reads stdout has left (`| head`): ends at once, whatever was still to come. Else it is a failure. */
  #endWithoutOutput(failure: NodeJS.ErrnoException): never {
    if (failure.code === 'EPIPE') process.exit(process.exitCode ?? this.unreadStatus);
    const error = new HoopError('failed', 'the output can not be written', {
      why: failure.message,
      suggestion: 'make room where it goes, or send it elsewhere',
    });
    this.say(errorLines(error, this.messageColours));
    process.exit(error.exitStatus);
  }

  #flagNames(): readonly string[] {
    const flags: Interfaces.FlagInput = { ...HoopCommand.baseFlags, ...this.ctor.flags };
    return Object.entries(flags)
      .filter(([, { hidden }]) => hidden !== true)
      .flatMap(([name, { aliases = [] }]) => [name, ...aliases].map((each) => `--${each}`));
  }

  #colours(stream: 'stdout' | 'stderr'): Colours {
    return createColours({ stream, noColor: this.argv.includes('--no-color'), env: process.env });
  }
}

/** Names of a command's own flags, other spellings of them included. */
function ownFlags(flags: Interfaces.FlagInput | undefined): readonly string[] {
  return Object.entries(flags ?? {}).flatMap(([name, { aliases = [] }]) => [name, ...aliases]);
}

/** Else oclif takes what is piped in for a missing argument: `hoop login --token-stdin` would lose its token. */
function leaveStdin<A extends Interfaces.ArgInput>(args: A | undefined): A | undefined {
  if (args === undefined) return undefined;
  return Object.fromEntries(Object.entries(args).map(([name, arg]) => [name, { ...arg, ignoreStdin: true }])) as A;
}
