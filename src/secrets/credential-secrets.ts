import type { Credential, SecretRef } from '../core/resources.js';

/** Every place that a credential's values come from. */
export function referencesOf(credential: Credential): readonly SecretRef[] {
  if ('headers' in credential) return Object.values(credential.headers);
  return credential.password === undefined ? [] : [credential.password];
}

/** Names of the stored secrets that a credential needs. */
export function storedSecretsOf(credential: Credential): readonly string[] {
  return [
    ...new Set(referencesOf(credential).flatMap((reference) => ('secret' in reference ? [reference.secret] : []))),
  ];
}
