/** What a player shows of a recording at one moment, and what can be asked of it: between who plays and who draws. */

/** What a line of a transcript is about, for those who show it in colours. */
export type Sense = 'plain' | 'about' | 'asked' | 'allowed' | 'warned' | 'blocked' | 'held' | 'failed' | 'rows';

export interface ReplayRow {
  /** Escaped already; one row, however long. */
  readonly text: string;
  readonly sense: Sense;
}

export type ScreenColour = 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan';

/** Cells of a terminal that look alike. */
export interface ScreenPiece {
  readonly text: string;
  readonly colour?: ScreenColour;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly inverse?: boolean;
}

export interface ReplayFrame {
  readonly title: string;
  /** The transcript up to this moment; only its last part. */
  readonly rows: readonly ReplayRow[];
  /** What stood on the terminal of a terminal session, row by row. */
  readonly screen?: readonly (readonly ScreenPiece[])[];
  /** The event shown last, from 1; 0 before the first. */
  readonly event: number;
  readonly events: number;
  /** Where the player stands, in ms from the start of the first session. */
  readonly atMs: number;
  readonly lengthMs: number;
  /** Places of what was blocked and approved, each 0 to 1 of the length. */
  readonly marks: readonly { readonly at: number; readonly kind: 'blocked' | 'approval' }[];
  readonly counts: { readonly statements: number; readonly blocked: number; readonly approvals: number };
  readonly playing: boolean;
  readonly speed: number;
  readonly idleLimitMs: number | undefined;
  /** The recording goes on, and so does the player, at its end. */
  readonly following: boolean;
  /** Ms of waiting until the next event at this speed; undefined where nothing is waited for. */
  readonly nextInMs: number | undefined;
  /** Part of the recording that is read; 1 when it all is. */
  readonly read: number;
  /** Said once: nothing found, a fault. Empty mostly. */
  readonly message: string;
  /** What is searched for; empty where nothing is. */
  readonly pattern: string;
}

export type ReplayAction =
  | { readonly kind: 'toggle' | 'start' | 'end' | 'idle' | 'follow' }
  /** By time, in ms. */
  | { readonly kind: 'seek'; readonly byMs: number }
  /** To a time from the start, in ms. */
  | { readonly kind: 'time'; readonly atMs: number }
  /** To an event, from 1. */
  | { readonly kind: 'event'; readonly event: number }
  /** To a part of the length, 0 to 1. */
  | { readonly kind: 'part'; readonly part: number }
  | { readonly kind: 'step' | 'statement' | 'blocked' | 'approval' | 'found'; readonly direction: 1 | -1 }
  | { readonly kind: 'speed'; readonly direction: 1 | -1 }
  | { readonly kind: 'search'; readonly pattern: string };

/** A player without a screen. */
export interface ReplayPlayback {
  frame(): ReplayFrame;
  act(action: ReplayAction): void;
  /** @returns ends it */
  subscribe(listener: () => void): () => void;
}
