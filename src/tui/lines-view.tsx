import { Box, Text } from 'ink';
import { escapeControls } from '../core/display.js';
import type { Line, Tone } from './lines.js';

const LOOK: Readonly<Record<Tone, Readonly<Record<string, unknown>>>> = {
  plain: {},
  dim: { dimColor: true },
  bold: { bold: true },
  red: { color: 'red' },
  green: { color: 'green' },
  yellow: { color: 'yellow' },
  cyan: { color: 'cyan' },
  magenta: { color: 'magenta' },
  blue: { color: 'blue' },
  inverse: { inverse: true },
};

/** One row of the screen; longer lines are cut, so that rows stay rows. */
export function LineView({ line }: { readonly line: Line }) {
  return (
    <Text wrap="truncate">
      {/* A row without text would have no height. */}
      {line.length === 0 || (line.length === 1 && line[0]?.text === '') ? ' ' : null}
      {line.map(({ text, tone = 'plain' }, index) => (
        <Text key={index} {...LOOK[tone]}>
          {escapeControls(text)}
        </Text>
      ))}
    </Text>
  );
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
