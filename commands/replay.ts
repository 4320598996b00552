import { Args, Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { replay } from '../src/client/replay.js';
import { replayChain } from '../src/client/replay-chain.js';
import { HoopError } from '../src/core/errors.js';

/** Of the contract, and not in this version: each is refused by its name. */
const LATER_FORMATS = ['asciicast', 'html'];
const LATER_FLAGS = ['speed', 'idle-limit', 'no-timing', 'follow', 'grep'] as const;

export default class Replay extends HoopCommand {
  static override summary = 'Show what happened in a session, or in all sessions of one run';
  static override description =
    'Prints the recording of a session as a transcript, or as JSON. With --correlation-id, all sessions of that id that you may read become one timeline: which prompt led to which statement. It shows; `hoop verify` proves.';
  static override examples = [
    '<%= config.bin %> replay 0193f1c2-7d3a-7c11-9f0e-2b6d8a4c5e10',
    '<%= config.bin %> replay recordings/2026-11-21/0193f1c2-7d3a-7c11-9f0e-2b6d8a4c5e10.ndjson --format json',
    '<%= config.bin %> replay --correlation-id nightly-report-42',
  ];
  static override args = { target: Args.string({ name: 'SESSION|FILE' }) };
  static override flags = {
    format: Flags.string({ description: 'text or json', helpValue: 'FORMAT', default: 'text' }),
    'correlation-id': Flags.string({ description: 'all sessions of this id as one timeline', helpValue: 'ID' }),
    speed: Flags.string({ hidden: true }),
    'idle-limit': Flags.string({ hidden: true }),
    'no-timing': Flags.boolean({ hidden: true }),
    follow: Flags.boolean({ hidden: true }),
    grep: Flags.string({ hidden: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Replay);
    const later = LATER_FLAGS.find((name) => flags[name] !== undefined);
    if (later !== undefined) throw new HoopError('not_in_version', `--${later} is not in this version`);
    if (LATER_FORMATS.includes(flags.format))
      throw new HoopError('not_in_version', `--format ${flags.format} is not in this version`);
    if (flags.format !== 'text' && flags.format !== 'json') throw new HoopError('usage', 'format is not text or json');
    const format = this.jsonEnabled() ? 'json' : flags.format;
    const write = (text: string): void => this.print(text);
    const correlationId = flags['correlation-id'];
    if ((correlationId === undefined) === (args.target === undefined))
      throw new HoopError('usage', 'replay takes a session, a file or --correlation-id, one of them');
    if (args.target !== undefined) return replay({ target: args.target, format, agent: () => this.agentApi(), write });
    await replayChain({
      correlationId: correlationId ?? '',
      format,
      agent: this.agentApi(),
      write,
      say: (text) => this.say(text),
    });
  }
}
