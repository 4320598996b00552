import { Box } from 'ink';
import { useMemo, useSyncExternalStore } from 'react';
import type { ReplayPlayback } from '../core/replay-frame.js';
import { EditBar, HintBar } from './bars.js';
import { useKeys } from './keys.js';
import { LineView, LinesView } from './lines-view.js';
import {
  HINTS,
  helpLines,
  noteLine,
  screenLines,
  seenLines,
  timeLine,
  titleLine,
  transcriptLines,
} from './replay-lines.js';
import { FIRST_STATE, replayKey } from './replay-state.js';
import type { ReplayState } from './replay-state.js';
import { openScreen, useSize } from './screen.js';
import type { ScreenOptions } from './screen.js';
import { Store, useStore } from './store.js';

/** Rows that are not the recording: title, time, note, keys, and the last one, which stays free. */
const OTHER_ROWS = 5;

/**
 * Plays a recording in the terminal until the reader quits.
 *
 * @throws what broke while drawing, once the terminal is given back
 */
export function openReplay(playback: ReplayPlayback, options: Omit<ScreenOptions, 'alternate'>): Promise<void> {
  return openScreen((close) => <Replay playback={playback} onQuit={close} />, { ...options, alternate: true }).closed;
}

export function Replay({ playback, onQuit }: { readonly playback: ReplayPlayback; readonly onQuit: () => void }) {
  const store = useMemo(() => new Store<ReplayState>(FIRST_STATE), []);
  const state = useStore(store);
  const frame = useSyncExternalStore(
    (listener) => playback.subscribe(listener),
    () => playback.frame(),
    () => playback.frame(),
  );
  const { columns, rows } = useSize();
  const height = Math.max(1, rows - OTHER_ROWS);
  const transcript = useMemo(
    () => transcriptLines(frame.rows, columns, frame.pattern),
    [frame.rows, frame.pattern, columns],
  );
  useKeys((key) => {
    const { state: next, action, quit } = replayKey(store.get(), key, height, transcript.length);
    store.set(next);
    if (action !== undefined) playback.act(action);
    if (quit === true) onQuit();
  });
  const shown =
    state.mode === 'help'
      ? helpLines(columns)
      : frame.screen !== undefined && state.back === 0
        ? screenLines(frame.screen, columns, height)
        : seenLines(transcript, height, state.back);
  return (
    <Box flexDirection="column" width={columns}>
      <LineView line={titleLine(frame, columns)} />
      <LinesView lines={shown} height={height} width={columns} />
      <LineView line={timeLine(frame, columns)} />
      <LineView line={noteLine(frame, state.fault, columns)} />
      {state.mode === 'search' ? <EditBar label="search:" edit={state.edit} width={columns} /> : null}
      {state.mode === 'go' ? <EditBar label="go to:" edit={state.edit} width={columns} /> : null}
      {state.mode === 'play' || state.mode === 'help' ? <HintBar hints={HINTS} width={columns} /> : null}
    </Box>
  );
}
