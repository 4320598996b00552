import { Args, Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { drainedStdout, replay } from '../src/client/replay/replay.js';
import { replayEntries, replayTarget } from '../src/client/replay/replay-entries.js';
import { replayWish } from '../src/client/replay/replay-flags.js';
import { canDraw, loadScreen } from '../src/tui/terminal.js';

export default class Replay extends HoopCommand {
  static override summary = 'Show what happened in a session, or in all sessions of one run';
  static override description =
    'In a terminal it plays: space stops and goes on, arrows go through time, `?` lists the keys. Anywhere else, and with --format, --sql or --no-timing, it writes. With --correlation-id, all sessions of that id that you may read become one timeline: which prompt led to which statement. It shows; `hoop verify` proves.';
  static override examples = [
    '<%= config.bin %> replay 0193f1c2-7d3a-7c11-9f0e-2b6d8a4c5e10',
    '<%= config.bin %> replay 0193f1c2-7d3a-7c11-9f0e-2b6d8a4c5e10 --format html > session.html',
    '<%= config.bin %> replay recordings/2026-11-21/0193f1c2-7d3a-7c11-9f0e-2b6d8a4c5e10.ndjson --format json',
    '<%= config.bin %> replay --correlation-id nightly-report-42 --grep payments',
  ];
  static override args = { target: Args.string({ description: 'a session’s id, or the file of a recording' }) };
  static override flags = {
    format: Flags.string({ description: 'write as text, json, asciicast or html', helpValue: 'FORMAT' }),
    sql: Flags.boolean({ description: 'write the statements alone, as SQL text' }),
    'correlation-id': Flags.string({ description: 'all sessions of this id as one timeline', helpValue: 'ID' }),
    grep: Flags.string({ description: 'only statements that hold this, with all of theirs', helpValue: 'PATTERN' }),
    follow: Flags.boolean({ description: 'go on while the session does' }),
    speed: Flags.string({ description: 'how many times as fast', helpValue: '2' }),
    'idle-limit': Flags.string({ description: 'longest pause', helpValue: '2s' }),
    'no-timing': Flags.boolean({ description: 'write the transcript at once, also in a terminal' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Replay);
    const wish = replayWish(flags, this.jsonEnabled());
    const target = await replayTarget(args.target, flags['correlation-id']);
    const say = (text: string): void => this.say(text);
    const source = { agent: () => this.agentApi(), follow: wish.follow, say };
    if (wish.format === undefined && canDraw()) {
      const { playReplay } = await import('../src/client/replay/replay-player.js');
      const { openReplay } = await loadScreen(() => import('../src/tui/replay-screen.js'));
      const colours = this.colours.enabled;
      return playReplay({ ...wish, ...source, target, draw: (playback) => openReplay(playback, { colours }) });
    }
    await replay({
      ...wish,
      entries: replayEntries(target, source),
      target,
      format: wish.format ?? 'text',
      pace: wish.timed ? wish : undefined,
      write: (text) => this.print(text),
      nothingFound: () => this.say('nothing in it matches --grep'),
      drained: drainedStdout,
    });
  }
}
