import { Args, Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { replay } from '../src/client/replay.js';
import { HoopError } from '../src/core/errors.js';

/** Of the contract, and not in this version: each is refused by its name. */
const LATER_FORMATS = ['asciicast', 'html'];
const LATER_FLAGS = ['speed', 'idle-limit', 'no-timing', 'follow', 'grep', 'correlation-id'] as const;

export default class Replay extends HoopCommand {
  static override summary = 'Show what happened in a session';
  static override description =
    'Prints the recording of a session as a transcript, or as JSON. It shows; `hoop verify` proves.';
  static override examples = [
    '<%= config.bin %> replay 0193f1c2-7d3a-7c11-9f0e-2b6d8a4c5e10',
    '<%= config.bin %> replay recordings/2026-11-21/0193f1c2-7d3a-7c11-9f0e-2b6d8a4c5e10.ndjson --format json',
  ];
  static override args = { target: Args.string({ name: 'SESSION|FILE', required: true }) };
  static override flags = {
    format: Flags.string({ description: 'text or json', helpValue: 'FORMAT', default: 'text' }),
    speed: Flags.string({ hidden: true }),
    'idle-limit': Flags.string({ hidden: true }),
    'no-timing': Flags.boolean({ hidden: true }),
    follow: Flags.boolean({ hidden: true }),
    grep: Flags.string({ hidden: true }),
    'correlation-id': Flags.string({ hidden: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Replay);
    const later = LATER_FLAGS.find((name) => flags[name] !== undefined);
    if (later !== undefined) throw new HoopError('not_in_version', `--${later} is not in this version`);
    if (LATER_FORMATS.includes(flags.format))
      throw new HoopError('not_in_version', `--format ${flags.format} is not in this version`);
    if (flags.format !== 'text' && flags.format !== 'json') throw new HoopError('usage', 'format is not text or json');
    await replay({
      target: args.target,
      format: this.jsonEnabled() ? 'json' : flags.format,
      agent: () => this.agentApi(),
      write: (text) => this.print(text),
    });
  }
}
