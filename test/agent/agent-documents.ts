/** The documents without which there is no agent, for tests that start none. */
export function agentDocuments(listen = '{ port: 0 }'): string {
  return `apiVersion: hoop/v1
kind: Agent
metadata: { name: local }
spec:
  listen: ${listen}
  store: { driver: sqlite, path: ./hoop.db }
  recordings: { dir: ./recordings }
  masterKey: { env: MASTER_KEY }
---
apiVersion: hoop/v1
kind: IdentityProvider
metadata: { name: corp }
spec: { issuer: https://id.example.com, audience: hoop }
`;
}
