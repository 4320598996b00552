import type { EntityDetector } from '../finding/entity.js';
import {
  anthropicKey,
  apiKey,
  awsAccessKey,
  githubToken,
  googleApiKey,
  openaiKey,
  MORE_TOKENS,
  slackToken,
  stripeKey,
} from './access-keys.js';
import { AMERICAS, BANKING } from './ids-americas.js';
import { ASIA_PACIFIC, COMPANIES } from './ids-asia-pacific.js';
import { EUROPE } from './ids-europe.js';
import { brCpf } from './br-cpf.js';
import { DEVICES } from './device-numbers.js';
import { HEALTH } from './health-numbers.js';
import { numberDetector } from './number-kind.js';
import type { NumberKind } from './number-kind.js';
import { creditCard } from './credit-card.js';
import { email } from './email.js';
import { iban } from './iban.js';
import { ipAddress } from './ip-address.js';
import { jwt } from './jwt.js';
import { phone } from './phone.js';
import { privateKey } from './private-key.js';
import { passwordInUrl } from './url-password.js';
import { usSsn } from './us-ssn.js';

/** Kinds that are a layout, a check and words; see `number-kind.ts`. */
export const NUMBER_KINDS: readonly NumberKind[] = [
  ...EUROPE,
  ...AMERICAS,
  ...ASIA_PACIFIC,
  ...COMPANIES,
  ...BANKING,
  ...HEALTH,
  ...DEVICES,
];

/** Every kind that hoop knows by itself. Of findings that are equal otherwise, the earlier kind here names the mask. */
export const BUILT_IN_ENTITIES: readonly EntityDetector[] = [
  email,
  creditCard,
  usSsn,
  phone,
  iban,
  ipAddress,
  jwt,
  privateKey,
  awsAccessKey,
  githubToken,
  anthropicKey,
  openaiKey,
  stripeKey,
  googleApiKey,
  slackToken,
  apiKey,
  passwordInUrl,
  brCpf,
  ...MORE_TOKENS,
  ...NUMBER_KINDS.map(numberDetector),
];

export const BUILT_IN_ENTITY_NAMES: readonly string[] = BUILT_IN_ENTITIES.map((entity) => entity.name);
