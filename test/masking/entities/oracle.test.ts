import { stdnum } from 'stdnum';
import { describe, expect, it } from 'vitest';
import { NUMBERS } from './number-samples.js';

/** By kind: the country and the name under which `stdnum` has the same number. */
const ORACLES: Record<string, readonly [string, string]> = {
  'uk-nino': ['GB', 'nino'],
  'es-dni': ['ES', 'dni'],
  'es-nie': ['ES', 'nie'],
  'fr-nir': ['FR', 'nir'],
  'it-codice-fiscale': ['IT', 'codicefiscale'],
  'it-partita-iva': ['IT', 'iva'],
  'de-steuer-id': ['DE', 'idnr'],
  'nl-bsn': ['NL', 'bsn'],
  'be-rrn': ['BE', 'nn'],
  'pl-pesel': ['PL', 'pesel'],
  'pl-nip': ['PL', 'nip'],
  'pt-nif': ['PT', 'nif'],
  'no-fodselsnummer': ['NO', 'fodselsnummer'],
  'ch-ahv': ['CH', 'ssn'],
  'at-svnr': ['AT', 'vnr'],
  'ie-pps': ['IE', 'pps'],
  'hr-oib': ['HR', 'oib'],
  'ca-sin': ['CA', 'sin'],
  'br-cnpj': ['BR', 'cnpj'],
  'cl-rut': ['CL', 'rut'],
  'ar-cuit': ['AR', 'cuit'],
  'in-aadhaar': ['IN', 'aadhaar'],
  'in-gstin': ['IN', 'gstin'],
  'au-tfn': ['AU', 'tfn'],
  'au-abn': ['AU', 'abn'],
  'kr-rrn': ['KR', 'rrn'],
  'tr-kimlik': ['TR', 'tckimlik'],
  'il-id': ['IL', 'idnr'],
  'th-id': ['TH', 'idnr'],
  'tw-id': ['TW', 'natid'],
  'hk-hkid': ['HK', 'hkid'],
};

describe('the samples of numbers', () => {
  it.each(Object.entries(ORACLES))('%s: are what another implementation calls valid', (name, [country, kind]) => {
    const validator = stdnum[country]?.[kind];
    for (const value of NUMBERS[name] ?? []) expect(validator?.validate(value).isValid, value).toBe(true);
    expect(NUMBERS[name]?.length).toBeGreaterThan(0);
  });
});
