/** What a reviewer should know of the commonest refusals; the server's own words may hold data. */
const WORDS: Readonly<Record<string, string>> = {
  '22P02': 'a value is not of the form its type takes',
  '23502': 'a column that must have a value would have none',
  '23503': 'a foreign key would not hold',
  '23505': 'a unique value would be there twice',
  '23514': 'a check would not hold',
  '23P01': 'an exclusion would not hold',
  '25006': 'it would write in a transaction that may only read',
  '25P02': 'its transaction has failed',
  '40001': 'it met a transaction that changed the same rows',
  '40P01': 'it and another transaction waited for each other',
  '42501': 'the credential has not the right to',
  '42601': 'a syntax error',
  '42703': 'a column is not there',
  '42883': 'a function is not there',
  '42P01': 'a table is not there',
  '55P03': 'another transaction holds a lock that it needs, perhaps the requester’s own',
  '57014': 'it took too long',
};

/** A SQLSTATE and what it means, as far as known. */
export function refusalWords(code: string): string {
  const words = WORDS[code];
  return words === undefined ? `SQLSTATE ${code}` : `${words} (${code})`;
}
