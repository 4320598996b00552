import { TRIAL_DATA } from './trial-data.js';

/** E-mail addresses, phones, SSNs and cards in the seeded customers: what nobody may see in clear. */
const PLANTED = [
  ...TRIAL_DATA.matchAll(
    /'((?:[\w.+]+@[\w.]+)|(?:\+1 \d{3} 555 \d{4})|(?:\d{3}-\d{2}-\d{4})|(?:[3-6]\d{3}[\d ]{9,15}))'/g,
  ),
].map((found) => found[1] as string);

/** Which of the seeded personal values a text holds; cards also without their blanks. */
export function plantedIn(text: string): readonly string[] {
  return PLANTED.filter((value) => text.includes(value) || text.includes(value.replaceAll(' ', '')));
}

export const PLANTED_COUNT = PLANTED.length;
