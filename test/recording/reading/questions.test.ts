import { describe, expect, it } from 'vitest';
import { recordedQuestions } from '../../../src/recording/reading/questions.js';

async function questionsOf(...events: readonly object[]): Promise<readonly unknown[]> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    await Promise.resolve();
    yield Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  }
  const found: unknown[] = [];
  for await (const batch of recordedQuestions(chunks()))
    found.push(...batch.map(({ asked, decision }) => [asked['text'], decision?.['action']]));
  return found;
}

describe('the questions of a recording', () => {
  const start = { type: 'session.start' };

  it('are its statements with their decisions, the last perhaps without', async () => {
    expect(
      await questionsOf(
        start,
        { type: 'statement', statement: 1, text: 'SELECT 1' },
        { type: 'decision', statement: 1, action: 'allow' },
        { type: 'statement', statement: 2, text: 'SELECT 2' },
      ),
    ).toEqual([
      ['SELECT 1', 'allow'],
      ['SELECT 2', undefined],
    ]);
  });

  it('are none in the recording of an approval itself: no policy was asked', async () => {
    const words = { type: 'statement', statement: 0, text: 'access to vault for 1h', via: 'approval' };
    expect(await questionsOf(start, words, { type: 'approval.requested' }, { type: 'session.end' })).toEqual([]);
  });
});
