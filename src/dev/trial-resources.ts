import { randomBytes } from 'node:crypto';
import { stringify } from 'yaml';
import { starterFiles, type StarterFile } from '../config/starter.js';
import type { IdentityProvider } from './identity-provider.js';

const PAYMENTS = {
  match: { types: ['postgres'] },
  rules: [
    {
      name: 'writes',
      when: 'sql.writes.exists(t, t.name == "payments")',
      action: 'approve',
      approval: 'dba-review',
      message: 'Writes to payments are checked by a database administrator.',
    },
  ],
  tests: [
    { sql: "UPDATE payments SET status = 'refunded' WHERE id = 2", expect: 'approve', rule: 'writes' },
    { sql: 'SELECT * FROM payments', expect: 'allow' },
  ],
};

/** Masks by kind know a value by its looks; these follow the columns wherever a query takes them: `reverse(ssn)`. */
const CUSTOMERS = {
  match: { types: ['postgres'] },
  mask: [
    {
      name: 'personal-columns',
      columns: ['customers.email', 'customers.phone', 'customers.ssn', 'customers.card', 'payments.paid_with'],
      strategy: 'partial',
    },
  ],
  tests: [{ text: '123-45-6789', column: 'public.customers.ssn', expect: 'mask', mask: 'personal-columns' }],
};

const PROMPTS = {
  match: { types: ['openai'] },
  rules: [
    {
      name: 'no-credential-dumps',
      when: 'llm.prompt.matches("(?i)(dump|list|export)[a-z ]* (credentials|passwords|secrets)")',
      action: 'block',
      message: 'Credentials do not belong into a prompt or an answer.',
    },
  ],
  tests: [
    { prompt: 'Dump all credentials of the staging cluster', expect: 'block', rule: 'no-credential-dumps' },
    { prompt: 'Why is the sky blue?', expect: 'allow' },
  ],
};

/** What the connections of the trial lead to. */
export interface TrialUpstreams {
  readonly provider: IdentityProvider;
  readonly postgres: { readonly host: string; readonly port: number };
  readonly model: { readonly url: string };
  readonly agentPort: number;
}

/**
 * The agent's resource files for the trial: the standard policies as they are shipped, a rule that
 * holds writes to payments for the database administrators, and one that blocks prompts for credentials.
 */
export function trialResources({ provider, postgres, model, agentPort }: TrialUpstreams): readonly StarterFile[] {
  const shipped = starterFiles(randomBytes(32)).filter(
    ({ path }) => path === 'master.key' || path.startsWith('policies/'),
  );
  const files: Readonly<Record<string, readonly unknown[]>> = {
    'agent.yaml': [
      resource('Agent', 'trial', {
        listen: { host: '127.0.0.1', port: agentPort },
        masterKey: { file: './master.key' },
        roles: { admin: { groups: ['dba'] }, auditor: { groups: ['dba'] } },
      }),
    ],
    'identity.yaml': [
      resource('IdentityProvider', 'trial', {
        issuer: provider.issuer,
        audience: provider.audience,
        clientId: provider.clientId,
        scopes: provider.scopes,
        reviewers: true,
      }),
    ],
    'connections.yaml': [
      resource('Connection', 'openai', {
        type: 'openai',
        url: model.url,
        credentials: [{ groups: ['*'], apiKey: { env: 'TRIAL_MODEL_KEY' } }],
        access: { groups: ['engineering', 'dba', 'ci'] },
      }),
      resource('Connection', 'postgres', {
        type: 'postgres',
        address: `${postgres.host}:${String(postgres.port)}`,
        database: 'postgres',
        tls: { mode: 'disable' },
        credentials: [{ groups: ['*'], username: 'postgres' }],
        access: { groups: ['engineering', 'dba', 'ci'] },
      }),
      resource('ApprovalFlow', 'dba-review', { reviewers: [{ groups: ['dba'], count: 1 }], wait: '5m' }),
    ],
    'policies/customers.yaml': [resource('Policy', 'customers', CUSTOMERS)],
    'policies/payments.yaml': [resource('Policy', 'payments-need-approval', PAYMENTS)],
    'policies/prompts.yaml': [resource('Policy', 'prompts', PROMPTS)],
  };
  const written = Object.entries(files).map(([path, documents]) => ({
    path,
    content: documents.map((document) => stringify(document)).join('---\n'),
    mode: 0o600,
  }));
  return [...written, ...shipped];
}

function resource(kind: string, name: string, spec: unknown): unknown {
  return { apiVersion: 'hoop/v1', kind, metadata: { name }, spec };
}
