import type { EntityDetector } from '../entity.js';
import {
  anthropicKey,
  apiKey,
  awsAccessKey,
  githubToken,
  googleApiKey,
  openaiKey,
  slackToken,
  stripeKey,
} from './access-keys.js';
import { brCpf } from './br-cpf.js';
import { creditCard } from './credit-card.js';
import { email } from './email.js';
import { iban } from './iban.js';
import { ipAddress } from './ip-address.js';
import { jwt } from './jwt.js';
import { phone } from './phone.js';
import { privateKey } from './private-key.js';
import { passwordInUrl } from './url-password.js';
import { usSsn } from './us-ssn.js';

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
];

export const BUILT_IN_ENTITY_NAMES: readonly string[] = BUILT_IN_ENTITIES.map((entity) => entity.name);
