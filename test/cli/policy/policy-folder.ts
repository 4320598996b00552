import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../support/folders.js';

/** Writes files into a folder of their own, and removes it after the work. */
export async function inFolder<Result>(
  files: Readonly<Record<string, string>>,
  work: (dir: string) => Promise<Result>,
): Promise<Result> {
  const dir = makeFolder('policy');
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** A policy with a rule of each kind and masks, its flow, and a connection that it is for. */
export const SHOP = `apiVersion: hoop/v1
kind: Policy
metadata: { name: prod }
spec:
  match: { labels: { env: prod }, groups: [eng] }
  rules:
    - { name: no-drop, when: '"drop" in sql.effects', action: block, message: No. }
    - { name: weekend, when: 'weekday(now, "UTC") in ["sat", "sun"] && "update" in sql.effects', action: approve, approval: dba }
    - { name: office, when: '!inRange(session.clientAddress, "10.0.0.0/8") && "insert" in sql.effects', action: block }
    - { name: admin, when: 'http.path.startsWith("/admin")', action: block }
  mask:
    - { name: pii, entities: [email, us-ssn], strategy: partial }
    - { name: ssn, columns: ['*.customers.ssn'], strategy: redact, exceptGroups: [dba] }
    - { name: token, paths: ['$..token'], strategy: redact }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: dba }
spec: { reviewers: [{ groups: [dba], count: 2 }], wait: 5m }
---
apiVersion: hoop/v1
kind: Connection
metadata: { name: shop, labels: { env: prod } }
spec:
  type: postgres
  address: 10.0.0.5:5432
  database: shop
  credentials:
    - { groups: [dba], username: shop_admin }
    - { username: shop_app }
  access: { groups: [eng] }
---
apiVersion: hoop/v1
kind: Connection
metadata: { name: crm, labels: { env: prod } }
spec: { type: http, url: 'https://crm.example.com', access: { groups: ['*'] } }
`;

export const SHOP_TESTS = `apiVersion: hoop/v1
kind: PolicyTest
metadata: { name: shop }
spec:
  connection: shop
  user: { groups: [eng] }
  database:
    tables:
      customers: { columns: { id: int, email: text, ssn: text } }
    views:
      contacts: SELECT email, ssn AS number FROM customers
    functions:
      purge: { language: plpgsql, body: 'BEGIN DROP TABLE customers; END' }
  tests:
`;
