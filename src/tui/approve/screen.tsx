import { useEffect, useSyncExternalStore } from 'react';
import type { RequestPreview, RequestView } from '../../core/approval.js';
import { type KeyPress, useKeys } from '../keys.js';
import { LinesView } from '../lines-view.js';
import { notificationFor } from '../notification.js';
import { openScreen, type Screen, type ScreenOptions, type Size, useSize } from '../screen.js';
import { Store, useStore } from '../store.js';
import type { DecisionReasons, ReviewDesk } from './desk.js';
import { approveFrame, type Frame } from './frame.js';
import { afterNews, answerKey, type ApproveState, type Effect, firstState, withNotice } from './state.js';

/** Runs an approve screen on a desk; drawn by `ApproveView`, tested without a terminal. */
export class ApproveScreen {
  readonly store: Store<ApproveState>;
  #size: Size = { columns: 80, rows: 24 };
  /** Requests of the last list, and their states; undefined before the first: what waited before is no news. */
  #known: ReadonlyMap<string, RequestView['state']> | undefined;

  constructor(
    readonly desk: ReviewDesk,
    private readonly options: {
      readonly quit: () => void;
      readonly nowMs: () => number;
      readonly reasons?: DecisionReasons;
      /** A request came that the reader may decide. */
      readonly onNew: (request: RequestView) => void;
    },
  ) {
    this.store = new Store(firstState(options.nowMs(), options.reasons));
  }

  frame(size: Size): Frame {
    this.#size = size;
    return approveFrame(this.store.get(), this.desk.get(), size);
  }

  readonly key = (key: KeyPress): void => {
    const { layout, listTop } = this.frame(this.#size);
    // What is read stays chosen, also when it is over: nothing slips under a key that was meant for it.
    const chosen = layout.chosen?.id ?? '';
    const before = { ...this.store.get(), chosen, listTop, nowMs: this.options.nowMs() };
    const { state, effect } = answerKey(before, layout, key);
    this.store.set(state);
    if (effect !== undefined) this.#carryOut(effect);
    this.#readSteps();
  };

  /** The desk has news. */
  readonly changed = (): void => {
    const { requests, line } = this.desk.get();
    if (line.kind === 'connecting') return;
    for (const request of requests) {
      if (this.#known?.has(request.id) === false && request.mayDecide) this.options.onNew(request);
    }
    const wasPending = this.#known?.get(this.store.get().chosen) === 'pending';
    this.#known = new Map(requests.map(({ id, state }) => [id, state]));
    const nowMs = this.options.nowMs();
    this.store.update((state) => afterNews({ ...state, nowMs }, requests, wasPending));
    this.#readSteps();
  };

  readonly tick = (): void => {
    this.store.update((state) => ({ ...state, nowMs: this.options.nowMs() }));
  };

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'quit':
        this.options.quit();
        return;
      case 'approve': {
        const { id, reason, duration } = effect;
        const given = { reason, ...(duration === undefined ? {} : { duration }) };
        this.#decided(this.desk.approve(id, given));
        return;
      }
      case 'deny':
        this.#decided(this.desk.deny(effect.id, effect.reason));
        return;
      case 'preview': {
        const { id } = effect;
        this.desk.preview(id).then(
          (preview) => this.#previewed(id, preview),
          (error: unknown) => this.#previewed(id, { failed: textOf(error) }),
        );
      }
    }
  }

  /** Shows what was asked for, where it can be read. */
  #previewed(id: string, preview: RequestPreview | { readonly failed: string }): void {
    this.store.update((state) => ({ ...state, previews: new Map(state.previews).set(id, preview) }));
    const { layout } = this.frame(this.#size);
    const { chosen, previewRow, textTotal, textRows } = layout;
    if (chosen?.id !== id || previewRow < 0) return;
    const textTop = Math.min(previewRow, Math.max(0, textTotal - textRows));
    this.store.update((state) => ({ ...state, textTop: Math.max(state.textTop, textTop) }));
  }

  #decided(deciding: Promise<RequestView>): void {
    deciding.then(
      (request) => {
        if (request.state !== 'pending') return;
        const text = 'your approval counts; more reviewers must approve';
        this.store.update((state) => withNotice(state, text, 'green'));
      },
      (error: unknown) => {
        this.store.update((state) => withNotice(state, textOf(error), 'red'));
      },
    );
  }

  /** Looks up what came before the chosen request, once. */
  #readSteps(): void {
    const { layout } = this.frame(this.#size);
    const request = layout.chosen;
    if (request === undefined || request.correlationId === '' || this.store.get().steps.has(request.id)) return;
    const keep = (steps: ApproveState['steps'] extends ReadonlyMap<string, infer Steps> ? Steps : never): void => {
      this.store.update((state) => ({ ...state, steps: new Map(state.steps).set(request.id, steps) }));
    };
    keep('reading');
    this.desk.earlierSteps(request).then(
      (steps) => keep(steps ?? 'not-yours'),
      () => keep('not-yours'),
    );
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it failed';
}

const TICK_MS = 1_000;

export function ApproveView({ screen }: { readonly screen: ApproveScreen }) {
  const size = useSize();
  useStore(screen.store);
  useSyncExternalStore(screen.desk.subscribe, screen.desk.get);
  useKeys(screen.key);
  useEffect(() => {
    const timer = setInterval(screen.tick, TICK_MS);
    return () => clearInterval(timer);
  }, [screen]);
  useEffect(() => {
    screen.changed();
    return screen.desk.subscribe(screen.changed);
  }, [screen]);
  const { lines } = screen.frame(size);
  return <LinesView lines={lines} height={lines.length} />;
}

/** Opens the screen over the whole terminal; it ends with `q`. */
export function openApproveScreen(
  desk: ReviewDesk,
  options: Pick<ScreenOptions, 'colours'> & {
    readonly reasons: DecisionReasons;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): Screen {
  return openScreen(
    (close) => {
      const screen = new ApproveScreen(desk, {
        quit: close,
        nowMs: () => Date.now(),
        reasons: options.reasons,
        onNew: ({ requester, connection }) => {
          const name = requester.email === '' ? requester.subject : requester.email;
          process.stdout.write(notificationFor('hoop approve', `${name} waits on ${connection}`, options.env));
        },
      });
      return <ApproveView screen={screen} />;
    },
    { alternate: true, colours: options.colours },
  );
}
