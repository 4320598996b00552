import { messageOf } from '../../core/errors.js';
import type { ReplayAction, ReplayFrame, ReplayPlayback } from '../../core/replay-frame.js';
import { atMsOf } from '../../recording/replay/entry.js';
import type { ReplayEntry } from '../../recording/replay/entry.js';
import { compilePattern, entryMatches } from '../../recording/replay/pattern.js';
import type { Pattern } from '../../recording/replay/pattern.js';
import type { OpenedLog } from './replay-log.js';
import { ReplayScreen } from './replay-screen.js';
import { findAround, nearest, nextSpeed, sameFrame, statementEnd } from './replay-moves.js';
import { marksOf, titleOf, windowRows } from './replay-window.js';

export interface PlaybackOptions {
  readonly speed: number;
  readonly idleLimitMs: number | undefined;
  readonly follow: boolean;
  readonly pattern: Pattern | undefined;
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** Calls back after so many ms. @returns takes it back */
  readonly after: (ms: number, call: () => void) => () => void;
}

/** The usual limit that the key for it sets, in ms. */
const IDLE_MS = 2000;
/** How often what is shown is looked at while it plays or grows, in ms: a screen that is written to more often only costs. */
const TICK_MS = 50;

/**
 * Plays a recording: keeps the place, moves it with time and by what is asked, and makes what is to be seen there.
 * One thing is done after the other, so that each starts from where the last one ended.
 */
export class Playback implements ReplayPlayback {
  #frame: ReplayFrame;
  readonly #listeners = new Set<() => void>();
  readonly #screen: ReplayScreen;
  /** Last event shown, from 0. */
  #event = -1;
  /** Where in the session's time the player stands, ms since the epoch. */
  #cursorMs = 0;
  #tickedMs: number;
  #playing = true;
  #speed: number;
  #idleLimitMs: number | undefined;
  #following: boolean;
  #pattern: Pattern | undefined;
  #message = '';
  #title = '';
  #marks: ReplayFrame['marks'] = [];
  #marked = -1;
  #search: AbortController | undefined;
  #queue: Promise<void> = Promise.resolve();
  #cancel: () => void = () => undefined;
  #closed = false;

  constructor(
    private readonly opened: OpenedLog,
    private readonly options: PlaybackOptions,
  ) {
    this.#speed = options.speed;
    this.#idleLimitMs = options.idleLimitMs;
    this.#following = options.follow;
    this.#pattern = options.pattern;
    this.#tickedMs = options.now();
    this.#screen = new ReplayScreen(opened.log);
    this.#frame = this.#made([], undefined, undefined);
    opened.done.catch((error: unknown) => (this.#message = messageOf(error)));
    if (options.pattern !== undefined) {
      this.#playing = false;
      // Where the rest is still being read, what is found may come later: the search waits for it.
      this.#do(() => opened.done.then(() => this.#find(1)).catch(() => undefined));
    }
    this.#tick();
  }

  frame(): ReplayFrame {
    return this.#frame;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  act(action: ReplayAction): void {
    // What is asked for now is not kept waiting by a search that goes on.
    this.#search?.abort();
    this.#do(async () => {
      this.#message = '';
      await this.#carryOut(action);
      await this.#show();
    });
  }

  /** Resolves when all that was asked for is done. */
  settled(): Promise<void> {
    return this.#queue;
  }

  close(): void {
    this.#closed = true;
    this.#search?.abort();
    this.#cancel();
    this.#screen.close();
  }

  #do(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).catch((error: unknown) => {
      this.#playing = false;
      this.#message = messageOf(error);
      this.#frame = { ...this.#frame, playing: false, message: this.#message };
      this.#tell();
    });
  }

  #tick(): void {
    if (this.#closed) return;
    this.#do(async () => {
      const nowMs = this.options.now();
      const passedMs = (nowMs - this.#tickedMs) * this.#speed;
      this.#tickedMs = nowMs;
      if (this.#following) this.#last();
      else if (this.#playing) await this.#advance(passedMs);
      await this.#show();
    });
    void this.#queue.then(() => {
      if (!this.#closed) this.#cancel = this.options.after(TICK_MS, () => this.#tick());
    });
  }

  /** Lets the session's time pass, pauses cut to the limit. */
  async #advance(passedMs: number): Promise<void> {
    const { log } = this.opened;
    if (log.length > 0 && this.#event < 0) this.#cursorMs = log.startMs;
    let leftMs = passedMs;
    for (let next = await log.entry(this.#event + 1); next !== undefined; next = await log.entry(this.#event + 1)) {
      const waitMs = this.#waitMs(next);
      if (waitMs > leftMs) {
        this.#cursorMs += leftMs;
        return;
      }
      leftMs -= waitMs;
      this.#cursorMs = Math.max(this.#cursorMs, atMsOf(next.event) || 0);
      this.#event += 1;
    }
    if (this.opened.read() === 1) this.#playing = false;
  }

  /** Until an event, in ms of the session's time: a pause that is too long ends as if it had lasted the limit. */
  #waitMs(next: ReplayEntry): number {
    const gapMs = Math.max(0, (atMsOf(next.event) || 0) - this.#cursorMs);
    const limitMs = this.#idleLimitMs ?? Number.POSITIVE_INFINITY;
    if (gapMs <= limitMs) return gapMs;
    // Skips what is beyond the limit, once.
    this.#cursorMs += gapMs - limitMs;
    return limitMs;
  }

  async #carryOut(action: ReplayAction): Promise<void> {
    const { log } = this.opened;
    if (!['idle', 'speed', 'follow'].includes(action.kind)) this.#following = false;
    switch (action.kind) {
      case 'toggle':
        if (!this.#playing && this.#event >= log.length - 1) await this.#go(-1);
        this.#playing = !this.#playing;
        return;
      case 'start':
        return this.#go(Math.min(0, log.length - 1));
      case 'end':
        return this.#go(log.length - 1);
      case 'follow':
        this.#following = !this.#following;
        this.#message = this.#following ? 'at the end, and on with it' : '';
        return;
      case 'idle':
        this.#idleLimitMs = this.#idleLimitMs === undefined ? (this.options.idleLimitMs ?? IDLE_MS) : undefined;
        return;
      case 'speed':
        this.#speed = nextSpeed(this.#speed, action.direction);
        return;
      case 'seek':
        return this.#goTime(this.#cursorMs + action.byMs);
      case 'time':
        return this.#goTime(log.startMs + action.atMs);
      case 'part':
        return this.#goTime(log.startMs + action.part * (log.endMs - log.startMs));
      case 'event':
        return this.#go(action.event - 1);
      case 'step':
        this.#playing = false;
        return this.#go(this.#event + action.direction);
      case 'statement':
        this.#playing = false;
        return this.#go(await statementEnd(log, this.#event, action.direction));
      case 'blocked':
      case 'approval':
        return this.#goLandmark(action.kind, action.direction);
      case 'search':
        this.#pattern = action.pattern === '' ? undefined : compilePattern(action.pattern);
        return this.#pattern === undefined ? undefined : this.#find(1);
      case 'found':
        return this.#find(action.direction);
    }
  }

  async #go(event: number): Promise<void> {
    const { log } = this.opened;
    this.#event = Math.max(-1, Math.min(event, log.length - 1));
    const shown = await log.entry(this.#event);
    this.#cursorMs = (shown === undefined ? undefined : atMsOf(shown.event)) || log.startMs;
    this.#tickedMs = this.options.now();
  }

  async #goTime(atMs: number): Promise<void> {
    const { log } = this.opened;
    const within = Math.min(Math.max(atMs, log.startMs), log.endMs);
    await this.#go(await log.eventAt(within));
    this.#cursorMs = within;
  }

  async #goLandmark(kind: 'blocked' | 'approval', direction: 1 | -1): Promise<void> {
    this.#playing = false;
    const found = await nearest(this.opened.log, this.#event, direction, kind);
    if (found !== undefined) return this.#go(found);
    const what = kind === 'blocked' ? 'blocked' : 'sent to reviewers';
    this.#message = `nothing ${direction === 1 ? 'after' : 'before'} this was ${what}`;
  }

  async #find(direction: 1 | -1): Promise<void> {
    const pattern = this.#pattern;
    if (pattern === undefined) return;
    this.#playing = false;
    const search = new AbortController();
    this.#search = search;
    const holds = (entry: ReplayEntry): boolean => entryMatches(entry, pattern);
    const found = await findAround(this.opened.log, this.#event, direction, holds, search.signal);
    this.#message = found.message;
    if (found.event !== undefined) await this.#go(found.event);
  }

  #last(): void {
    const { log } = this.opened;
    this.#event = log.length - 1;
    this.#cursorMs = log.endMs;
    if (this.opened.read() === 1) {
      this.#following = false;
      this.#playing = false;
      this.#message = 'the session has ended';
    }
  }

  async #show(): Promise<void> {
    const { log } = this.opened;
    if (this.#title === '' && log.length > 0) this.#title = await titleOf(log);
    if (this.#marked !== log.length && this.opened.read() === 1) {
      this.#marked = log.length;
      this.#marks = await marksOf(log);
    }
    const moved = this.#event + 1 !== this.#frame.event || this.#frame.rows.length === 0;
    const rows = moved ? await windowRows(log, this.#event) : this.#frame.rows;
    const screen = moved ? await this.#screen.at(this.#event) : this.#frame.screen;
    const next = this.#playing ? await log.entry(this.#event + 1) : undefined;
    const made = this.#made(rows, screen, next);
    if (sameFrame(made, this.#frame)) return;
    this.#frame = made;
    this.#tell();
  }

  #made(rows: ReplayFrame['rows'], screen: ReplayFrame['screen'], next: ReplayEntry | undefined): ReplayFrame {
    const { log } = this.opened;
    const { index } = log;
    const gapMs = next === undefined ? undefined : Math.max(0, (atMsOf(next.event) || 0) - this.#cursorMs);
    return {
      title: this.#title,
      rows,
      ...(screen === undefined ? {} : { screen }),
      event: this.#event + 1,
      events: log.length,
      atMs: log.length === 0 ? 0 : Math.max(0, this.#cursorMs - log.startMs),
      lengthMs: log.length === 0 ? 0 : log.endMs - log.startMs,
      marks: this.#marks,
      counts: {
        statements: index.total('statement'),
        blocked: index.total('blocked'),
        approvals: index.total('approval'),
      },
      playing: this.#playing,
      speed: this.#speed,
      idleLimitMs: this.#idleLimitMs,
      following: this.#following,
      nextInMs: gapMs === undefined ? undefined : Math.min(gapMs, this.#idleLimitMs ?? gapMs) / this.#speed,
      read: this.opened.read() ?? 0,
      message: this.#message,
      pattern: this.#pattern?.source ?? '',
    };
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
