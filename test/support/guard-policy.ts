/**
 * Documents: policy `guard`, under which writes to payments wait for a reviewer of the group dba, and the flow of it.
 *
 * @param wait how long a statement is held, as the flow spells it, and further members of the flow
 * @param rules further rules of the policy
 */
export function guardPolicy(wait: string, ...rules: readonly string[]): string {
  const payments = `{ name: payments, when: 'sql.writes.exists(t, t.name == "payments")', action: approve, approval: dba-review }`;
  return `
apiVersion: hoop/v1
kind: Policy
metadata: { name: guard }
spec:
  rules:
${[...rules, payments].map((rule) => `    - ${rule}\n`).join('')}---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: dba-review }
spec: { reviewers: [{ groups: [dba], count: 1 }], wait: ${wait} }
`;
}
