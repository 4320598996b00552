import { isDay, isOneDigit, isSign, luhn, mod11And10, modulo, numberAt, weighted } from './number-checks.js';
import type { NumberKind, Values } from './number-kind.js';

const at = (values: Values, index: number): number => values[index] as number;
const pair = (values: Values, index: number): number => numberAt(values, index, index + 2);
/** Digits `YYMMDD` from a place on. */
const isDate = (values: Values, from: number): boolean => isDay(pair(values, from + 2), pair(values, from + 4));
/** Digits `DDMMYY` from the first on. */
const isDayFirst = (values: Values): boolean => isDay(pair(values, 2), pair(values, 0));

/** Modulus 11 as the NHS writes it: the check digit is 11 less the remainder, 11 is 0. @see https://www.datadictionary.nhs.uk/attributes/nhs_number.html */
function isNhs(values: Values): boolean {
  const check = (11 - (weighted(values, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
  return check === at(values, 9) && !isOneDigit(values, 10);
}

/** @see https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110 */
function isNino(values: Values): boolean {
  const prefix = (at(values, 0).toString(36) + at(values, 1).toString(36)).toUpperCase();
  if (/^[DFIQUV]|[DFIQUVO]$|^(?:BG|GB|KN|NK|NT|TN|ZZ)$/.test(prefix)) return false;
  return at(values, 8) >= 10 && at(values, 8) <= 13;
}

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

/** X, Y, Z count as 0, 1, 2. */
function isNie(values: Values): boolean {
  const first = at(values, 0) - 33;
  return first >= 0 && isSign(values[8], DNI_LETTERS, modulo(values, 1, 8, 23, first));
}

/** Corsica's departments 2A and 2B count as 19 and 18. @see https://www.insee.fr/fr/metadonnees/definition/c1409 */
function isNir(values: Values): boolean {
  const letter = at(values, 6);
  if (letter > 11 || (letter > 9 && at(values, 5) !== 2) || at(values, 0) === 0) return false;
  const month = pair(values, 3);
  if (month === 0 || (month > 12 && month < 20) || (month > 42 && month < 50)) return false;
  const begun = modulo(values, 0, 5, 97);
  const middle = (begun * 100 + (letter === 10 ? 19 : letter === 11 ? 18 : pair(values, 5))) % 97;
  return 97 - modulo(values, 7, 13, 97, middle) === pair(values, 13);
}

/** Digits 8 to 10 are the province of the office. */
function isPartitaIva(values: Values, count: number): boolean {
  const province = numberAt(values, count - 4, count - 1);
  const given = (province >= 1 && province <= 100) || [120, 121, 888, 999].includes(province);
  return given && luhn(values, count - 11, count);
}

const ODD_PLACES = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
const MONTH_LETTERS = 'abcdehlmprst';

/** @see https://www.agenziaentrate.gov.it/portale/schede/istanze/richiesta-ts_cf/informazioni-codificazione-pf */
function isCodiceFiscale(values: Values): boolean {
  const day = pair(values, 9);
  const month = MONTH_LETTERS.indexOf(at(values, 8).toString(36)) + 1;
  if (!isDay(month, day > 40 ? day - 40 : day)) return false;
  let sum = 0;
  for (let index = 0; index < 15; index += 1) {
    const value = at(values, index) % 36;
    const place = value > 9 ? value - 10 : value;
    sum += index % 2 === 0 ? (ODD_PLACES[place] as number) : place;
  }
  return sum % 26 === at(values, 15) - 10;
}

/** One digit of the first ten stands there twice or three times, the others once at most. @see https://de.wikipedia.org/wiki/Steuerliche_Identifikationsnummer */
function isSteuerId(values: Values): boolean {
  const counts = Array.from({ length: 10 }, () => 0);
  for (let index = 0; index < 10; index += 1) counts[at(values, index)] = (counts[at(values, index)] as number) + 1;
  const often = counts.filter((count) => count > 1);
  return at(values, 0) > 0 && often.length === 1 && (often[0] as number) < 4 && mod11And10(values, 11);
}

const eleven = (weights: readonly number[]) => (values: Values) => weighted(values, weights) % 11 === 0;
const isBsn = eleven([9, 8, 7, 6, 5, 4, 3, 2, -1]);

/** From 2000 on a 2 is put in front. */
function isRrn(values: Values): boolean {
  const check = pair(values, 9);
  // Where the day is not known it is 00; for those not registered 20 or 40 are added to the month.
  if (pair(values, 2) > 52 || pair(values, 2) % 20 > 12 || pair(values, 4) > 31) return false;
  return [0, 2].some((century) => 97 - modulo(values, 0, 9, 97, century) === check);
}

/** The century is in the month: 80 for 1800, 20 for 2000 and so on. */
function isPesel(values: Values): boolean {
  return isDay(pair(values, 2) % 20, pair(values, 4)) && weighted(values, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
}

function isNip(values: Values): boolean {
  return weighted(values, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 === at(values, 9) && !isOneDigit(values, 10);
}

function isPtNif(values: Values): boolean {
  const check = (11 - (weighted(values, [9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
  return at(values, 0) > 0 && check % 10 === at(values, 8);
}

/** Coordination numbers have 60 added to the day. */
function isPersonnummer(values: Values, count: number): boolean {
  const from = count - 10;
  const day = pair(values, from + 4);
  return isDay(pair(values, from + 2), day > 60 ? day - 60 : day) && luhn(values, from, count);
}

/** D-numbers have 40 added to the day, H-numbers to the month. @see https://www.skatteetaten.no/en/person/foreign/norwegian-identification-number/ */
function isFodselsnummer(values: Values): boolean {
  const [day, month] = [pair(values, 0), pair(values, 2)];
  return (
    isDay(month > 40 ? month - 40 : month, day > 40 ? day - 40 : day) &&
    weighted(values, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
    weighted(values, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
  );
}

const HETU_SIGNS = '0123456789ABCDEFHJKLMNPRSTUVWXY';

/** The sign of the century is a hyphen, a plus or a letter: with a letter there is one value more. */
function isHetu(values: Values, count: number): boolean {
  const number = count === 11 ? 7 : 6;
  if (count === 11 && !/[a-fu-y]/.test(at(values, 6).toString(36))) return false;
  const serial = numberAt(values, number, number + 3);
  const remainder = (numberAt(values, 0, 6) * 1_000 + serial) % 31;
  return isDayFirst(values) && serial > 1 && isSign(values[number + 3], HETU_SIGNS, remainder);
}

const isEan13 = (values: Values): boolean => weighted(values, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0;

function isSvnr(values: Values): boolean {
  const month = pair(values, 6);
  if (at(values, 0) === 0 || month > 15 || !isDay(Math.min(Math.max(month, 1), 12), pair(values, 4))) return false;
  return weighted(values, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === at(values, 3);
}

const PPS_LETTERS = 'WABCDEFGHIJKLMNOPQRSTUV';

/** A second letter A, B or H counts; W, T and X of the old form do not. */
function isPps(values: Values, count: number): boolean {
  const second = count === 9 ? at(values, 8).toString(36) : 'w';
  if (!/[abhwtx]/.test(second)) return false;
  const more = /[abh]/.test(second) ? (at(values, 8) - 9) * 9 : 0;
  return isSign(values[7], PPS_LETTERS, (weighted(values, [8, 7, 6, 5, 4, 3, 2]) + more) % 23);
}

/** Women have 50 added to the month, and 20 or 70 where a day's numbers were used up. */
function isRodneCislo(values: Values): boolean {
  const month = pair(values, 2) % 50;
  if (!isDay(month > 20 ? month - 20 : month, pair(values, 4))) return false;
  const check = modulo(values, 0, 9, 11);
  return check % 10 === at(values, 9);
}

function isCnp(values: Values): boolean {
  const check = weighted(values, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
  return at(values, 0) > 0 && isDate(values, 1) && (check === 10 ? 1 : check) === at(values, 12);
}

/** The century is in the month: 20 for 1800, 40 for 2000. */
function isEgn(values: Values): boolean {
  const month = pair(values, 2);
  if (month > 52 || !isDay(month % 20, pair(values, 4))) return false;
  return (weighted(values, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11) % 10 === at(values, 9);
}

function isIsikukood(values: Values): boolean {
  let check = weighted(values, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
  if (check === 10) check = (weighted(values, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11) % 10;
  return at(values, 0) > 0 && at(values, 0) < 9 && isDate(values, 1) && check === at(values, 10);
}

/** Numbers of people and taxpayers that European states give out. */
export const EUROPE: readonly NumberKind[] = [
  {
    name: 'uk-nhs',
    near: ['999 999 9999', '999-999-9999', '9999999999'],
    words: ['nhs'],
    check: isNhs,
  },
  { name: 'uk-nino', sure: ['AA999999A', 'AA 99 99 99 A'], check: isNino },
  { name: 'es-dni', sure: ['99999999A', '99999999-A'], check: (v) => isSign(v[8], DNI_LETTERS, modulo(v, 0, 8, 23)) },
  { name: 'es-nie', sure: ['A9999999A', 'A-9999999-A'], check: isNie },
  {
    name: 'fr-nir',
    sure: ['9 99 99 9X 999 999 99'],
    near: ['999999X99999999'],
    words: ['nir', 'insee', 'secu', 'sécu', 'securite sociale', 'sécurité sociale', 'numss'],
    check: isNir,
  },
  { name: 'it-codice-fiscale', sure: ['AAAAAA99A99A999A'], check: isCodiceFiscale },
  {
    name: 'it-partita-iva',
    near: ['99999999999', 'it99999999999'],
    words: ['partita iva', 'partita', 'p.iva', 'p. iva', 'piva', 'iva'],
    check: isPartitaIva,
  },
  {
    name: 'de-steuer-id',
    near: ['99999999999', '99 999 999 999'],
    words: ['steuer-id', 'steuerid', 'steuer', 'steueridentifikationsnummer', 'idnr', 'identifikationsnummer', 'tin'],
    check: isSteuerId,
  },
  {
    name: 'nl-bsn',
    near: ['999999999', '9999.99.999'],
    words: ['bsn', 'burgerservicenummer', 'sofinummer', 'sofi'],
    check: (values) => isBsn(values) && !isOneDigit(values, 9),
  },
  {
    name: 'be-rrn',
    sure: ['99.99.99-999.99'],
    near: ['99999999999'],
    words: [
      'rijksregisternummer',
      'rijksregister',
      'registre national',
      'numero national',
      'rrn',
      'insz',
      'niss',
      'nrn',
    ],
    check: isRrn,
  },
  { name: 'pl-pesel', near: ['99999999999'], words: ['pesel'], check: isPesel },
  { name: 'pl-nip', near: ['999-999-99-99', '999-99-99-999', '9999999999'], words: ['nip'], check: isNip },
  { name: 'pt-nif', near: ['999999999', '999 999 999'], words: ['nif', 'contribuinte', 'nipc'], check: isPtNif },
  {
    name: 'se-personnummer',
    near: ['999999-9999', '999999+9999', '99999999-9999', '9999999999', '999999999999'],
    words: ['personnummer', 'personnr', 'pnr', 'personal identity'],
    check: isPersonnummer,
  },
  {
    name: 'no-fodselsnummer',
    sure: ['999999 99999'],
    near: ['99999999999'],
    words: ['fødselsnummer', 'fodselsnummer', 'fnr', 'personnummer', 'd-nummer', 'fødselsnr'],
    check: isFodselsnummer,
  },
  {
    name: 'dk-cpr',
    near: ['999999-9999', '9999999999'],
    words: ['cpr', 'cpr-nr', 'cpr-nummer', 'cprnummer', 'personnummer'],
    check: isDayFirst,
  },
  { name: 'fi-hetu', sure: ['999999-999X', '999999+999X', '999999A999X'], check: isHetu },
  { name: 'ch-ahv', sure: ['756.9999.9999.99', '7569999999999'], check: isEan13 },
  {
    name: 'at-svnr',
    near: ['9999 999999', '9999999999', '9999-999999'],
    words: ['svnr', 'sv-nr', 'sv-nummer', 'svnummer', 'sozialversicherungsnummer', 'versicherungsnummer'],
    check: isSvnr,
  },
  { name: 'ie-pps', near: ['9999999A', '9999999AA'], words: ['pps', 'ppsn', 'pps-number'], check: isPps },
  {
    name: 'cz-rodne-cislo',
    near: ['999999/9999', '9999999999'],
    words: ['rodné číslo', 'rodne cislo', 'rodné', 'rodne', 'rč', 'rc'],
    check: isRodneCislo,
  },
  { name: 'ro-cnp', near: ['9999999999999'], words: ['cnp', 'cod numeric personal'], check: isCnp },
  { name: 'bg-egn', near: ['9999999999'], words: ['egn', 'егн', 'ЕГН'], check: isEgn },
  {
    name: 'ee-isikukood',
    near: ['99999999999'],
    words: ['isikukood', 'personal code', 'asmens kodas', 'ik'],
    check: isIsikukood,
  },
  { name: 'hr-oib', near: ['99999999999'], words: ['oib'], check: (values) => mod11And10(values, 11) },
];
