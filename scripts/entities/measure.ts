/** Measures entity detectors on labelled samples in sentences of their own, and on generated noise. */
import { NUMBER_KINDS } from '../../src/masking/entities/built-in.js';
import { bytesAt } from '../../src/masking/entities/layout.js';
import { createTextMasker } from '../../src/masking/text-masker.js';
import { NUMBERS } from '../../test/masking/entities/number-samples.js';
import { Dice } from '../fuzz/mutation.js';

export interface Measured {
  readonly name: string;
  /** Of the labelled numbers in sentences, with a word of the kind in front or without: the share that was found. */
  readonly withWord: number;
  readonly without: number;
  /** Of random numbers written like the kind, with a word in front: the share that was taken for one. */
  readonly chance: number;
  /** Finds in values that hold none. */
  readonly wrong: number;
}

export const NOISE_VALUES = 4_000;
export const RANDOM_NUMBERS = 400;

/** @param word that says what the number is, or nothing where its writing does */
const SENTENCES: readonly ((word: string, value: string) => string)[] = [
  (word, value) => `${word} ${value}`,
  (word, value) => `${word}: ${value}.`,
  (word, value) => `name;${word}=${value};city`,
  (word, value) => `He wrote: "my ${word} is ${value}", and left.`,
  (word, value) => `${word.toUpperCase()}\t${value}\n`,
  (word, value) => `(${word} no. ${value})`,
];

/** Values of ordinary data without any such number: ids, times, hashes, versions, amounts, order numbers. */
function noise(dice: Dice): string {
  const digits = (count: number): string => Array.from({ length: count }, () => dice.below(10)).join('');
  const hex = (count: number): string => Array.from({ length: count }, () => dice.below(16).toString(16)).join('');
  const two = (below: number): string => String(1 + dice.below(below)).padStart(2, '0');
  return dice.pick([
    () => digits(6 + dice.below(14)),
    () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
    () => `20${digits(2)}-${two(12)}-${two(28)}T${two(23)}:${two(59)}:${two(59)}.${digits(6)}Z`,
    () => hex(dice.pick([7, 8, 9, 32, 40, 64])),
    () => `v${digits(1)}.${digits(2)}.${digits(1)}-beta.${digits(1)}`,
    () => `${digits(4)}.${digits(12)}`,
    () => `order ${digits(3)}-${digits(7)}-${digits(7)}`,
    () => `INV-20${digits(2)}-${digits(6)}`,
    () => `tracking 1Z${hex(6).toUpperCase()}${digits(10)}`,
    () => `call ${digits(3)} ${digits(3)} ${digits(4)}`,
    () => `${digits(3)} ${digits(3)} ${digits(3)} rows`,
    () => `17${digits(8)}.${digits(3)}`,
    () => `sku ${dice.pick(['AB', 'XK', 'QQ'])}${digits(7)}`,
    () => `isbn 978${digits(10)}`,
    () => `${digits(2)}/${digits(2)}/20${digits(2)} ${digits(4)}`,
    () => `node-${hex(10)}-${hex(5)}`,
  ])();
}

/** The same numbers whenever it runs. */
export function measureEntities(): readonly Measured[] {
  const dice = new Dice(8);
  const values = Array.from({ length: NOISE_VALUES }, () => noise(dice));
  return NUMBER_KINDS.map(({ name, sure = [], near = [], words = [] }) => {
    const masker = createTextMasker({
      rules: [
        {
          name: 'm',
          entities: [name],
          columns: [],
          strategy: 'redact',
          with: '',
          on: { requests: false, answers: true },
          observed: false,
        },
      ],
      hash: (input) => input,
    });
    const count = (text: string): number => {
      const counts = new Map<string, number>();
      masker.maskText(text, counts);
      return counts.get(name) ?? 0;
    };
    const share = (texts: readonly string[]): number => texts.filter((text) => count(text) > 0).length / texts.length;
    const inSentences = (given: readonly string[]): string[] =>
      (NUMBERS[name] ?? []).flatMap((value) =>
        SENTENCES.flatMap((sentence) => given.map((word) => sentence(word, value))),
      );
    const random = [...sure, ...near].flatMap((layout) =>
      Array.from({ length: RANDOM_NUMBERS }, () => `${words[0] ?? 'number'} ${filled(layout, dice)}`),
    );
    return {
      name,
      withWord: share(inSentences(words.length === 0 ? ['number'] : words)),
      without: share(inSentences(['number'])),
      chance: share(random),
      wrong: values.reduce((sum, text) => sum + count(text), 0),
    };
  });
}

/** A random number written like this. */
function filled(layout: string, dice: Dice): string {
  return Array.from(layout, (sign) => String.fromCharCode(dice.pick(bytesAt(sign)))).join('');
}
