import chalk from 'chalk';
import { Box, Text } from 'ink';
import { memo } from 'react';
import { escapeControls } from '../core/display.js';
import type { Line, Tone } from './lines.js';

/** Looked up anew each time: whether there are colours is decided when the screen opens. */
const LOOK: Readonly<Record<Tone, (text: string) => string>> = {
  plain: (text) => text,
  dim: (text) => chalk.dim(text),
  bold: (text) => chalk.bold(text),
  red: (text) => chalk.red(text),
  green: (text) => chalk.green(text),
  yellow: (text) => chalk.yellow(text),
  cyan: (text) => chalk.cyan(text),
  magenta: (text) => chalk.magenta(text),
  blue: (text) => chalk.blue(text),
  inverse: (text) => chalk.inverse(text),
};

/** A row in one piece: a node of its own for each of its pieces is what drawing would take most of its time for. */
const Row = memo(function Row({ text }: { readonly text: string }) {
  return <Text wrap="truncate">{text}</Text>;
});

/** One row of the screen; longer lines are cut, so that rows stay rows. */
export function LineView({ line }: { readonly line: Line }) {
  const text = line.map((piece) => LOOK[piece.tone ?? 'plain'](escapeControls(piece.text))).join('');
  // A row without text would have no height.
  return <Row text={text === '' ? ' ' : text} />;
}

/** Rows below each other, `height` of them whatever there is to show. */
export function LinesView({ lines, height, width }: { lines: readonly Line[]; height: number; width?: number }) {
  const shown = lines.slice(0, height);
  return (
    <Box flexDirection="column" height={height} flexShrink={0} {...(width === undefined ? {} : { width })}>
      {shown.map((line, index) => (
        <LineView key={index} line={line} />
      ))}
    </Box>
  );
}
