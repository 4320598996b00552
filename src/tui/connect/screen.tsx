import { useEffect } from 'react';
import type { RequestView } from '../../core/approval.js';
import { type KeyPress, useKeys } from '../keys.js';
import { LinesView } from '../lines-view.js';
import { notificationFor } from '../notification.js';
import { openScreen, type ScreenOptions, type Size, useSize } from '../screen.js';
import { Store, useStore } from '../store.js';
import { connectFrame, type Frame } from './frame.js';
import {
  afterEvent,
  afterNote,
  answerKey,
  type ConnectionEvent,
  type ConnectState,
  connectState,
  type Place,
  type Traffic,
  type Whoami,
} from './state.js';

export interface ConnectScreenOptions {
  readonly places: readonly Place[];
  readonly traffic: () => ReadonlyMap<string, Traffic>;
  /** A key asks to close the ports. */
  readonly quit: () => void;
  readonly nowMs: () => number;
  /** A hold of one's own is over. */
  readonly onResolved: (text: string) => void;
}

/** What `hoop connect` shows while its ports are open; drawn by `ConnectView`. */
export class ConnectScreen {
  readonly store: Store<ConnectState>;
  #size: Size = { columns: 80, rows: 24 };

  constructor(private readonly options: ConnectScreenOptions) {
    this.store = new Store(connectState(options.places, options.nowMs()));
  }

  frame(size: Size): Frame {
    this.#size = size;
    return connectFrame(this.store.get(), size);
  }

  readonly event = (event: ConnectionEvent): void => {
    this.store.update((state) => afterEvent(state, event, this.options.nowMs()));
    if (event.event === 'approval.resolved')
      this.options.onResolved(`${String(event['outcome'])}: ${event.connection}`);
  };

  readonly note = (text: string): void => {
    this.store.update((state) => afterNote(state, text, this.options.nowMs()));
  };

  readonly known = (whoami: Whoami): void => {
    this.store.update((state) => ({ ...state, whoami }));
  };

  /** Requests of one's own, as they are now; those of other connections are for other screens. */
  readonly requests = (requests: readonly RequestView[]): void => {
    const names = new Set(this.options.places.map(({ connection }) => connection));
    const holds = requests.filter(({ state, connection }) => state === 'pending' && names.has(connection));
    this.store.update((state) => ({ ...state, holds }));
  };

  readonly key = (key: KeyPress): void => {
    const { logRows } = this.frame(this.#size);
    const { state, quit } = answerKey(this.store.get(), logRows, key);
    this.store.set(state);
    if (quit) this.options.quit();
  };

  readonly tick = (): void => {
    this.store.update((state) => ({ ...state, nowMs: this.options.nowMs(), traffic: this.options.traffic() }));
  };
}

const TICK_MS = 1_000;

export function ConnectView({ screen }: { readonly screen: ConnectScreen }) {
  const size = useSize();
  useStore(screen.store);
  useKeys(screen.key);
  useEffect(() => {
    screen.tick();
    const timer = setInterval(screen.tick, TICK_MS);
    return () => clearInterval(timer);
  }, [screen]);
  const { lines } = screen.frame(size);
  return <LinesView lines={lines} height={lines.length} />;
}

export interface OpenConnectScreen {
  readonly screen: ConnectScreen;
  /** Settles when the terminal is given back. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Opens the screen over the whole terminal. */
export function openConnectScreen(
  options: Pick<ConnectScreenOptions, 'places' | 'traffic' | 'quit'> &
    Pick<ScreenOptions, 'colours'> & { readonly env: Readonly<Record<string, string | undefined>> },
): OpenConnectScreen {
  const screen = new ConnectScreen({
    ...options,
    nowMs: () => Date.now(),
    onResolved: (text) => process.stdout.write(notificationFor('hoop connect', text, options.env)),
  });
  const opened = openScreen(() => <ConnectView screen={screen} />, { alternate: true, colours: options.colours });
  return { screen, ...opened };
}
