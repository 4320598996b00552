export const STARTER_AGENT = `# The agent itself. Every *.yaml below this folder is read; one file may hold several documents.
# \${NAME} in a value is the environment variable NAME; one that is not set stops the start.
# \`hoop agent start --config . --validate\` checks everything and exits.
apiVersion: hoop/v1
kind: Agent
metadata: { name: local }
spec:
  # Beyond loopback TLS is needed: tls: { cert: ./tls.crt, key: ./tls.key }
  listen: { host: 127.0.0.1, port: 8443 }

  # The address that users type, where it is not the one above.
  # publicUrl: https://agent.example.com

  # Sessions, approval requests, keys. Relative paths start at this file.
  store: { driver: sqlite, path: ./state/hoop.db }

  # durability flush: with the kernel before a statement is forwarded; sync: on disk.
  # retention: how long recordings are kept; left out, for ever. upload: a second copy in an S3-compatible bucket,
  # { bucket: NAME, region: eu-central-1, accessKeyId: { env: S3_KEY_ID }, secretAccessKey: { env: S3_KEY } }
  recordings: { dir: ./recordings, durability: flush }

  # 32 bytes, base64, one line; it encrypts what the store holds. This file was made with a fresh one,
  # readable by its owner alone. Keep a copy apart: without it the recording key is lost.
  # From the environment instead: masterKey: { env: HOOP_MASTER_KEY }
  masterKey: { file: ./master.key }

  # Who may read every session and decide about the agent itself; left out, nobody.
  # roles: { admin: { groups: [platform] }, auditor: { groups: [security] } }

  # A limit holds where a rule or a mask has to read; what is over it is refused.
  # limits: { statementBytes: 8MiB, rowBytes: 256MiB }
`;

export const STARTER_IDENTITY = `# Who may call: any OpenID provider. Set these two before the start:
#   export HOOP_ISSUER=https://id.example.com    # as the provider's tokens spell it, to the letter
#   export HOOP_CLIENT_ID=hoop-cli               # a public client with the device flow allowed
apiVersion: hoop/v1
kind: IdentityProvider
metadata: { name: corp }
spec:
  issuer: \${HOOP_ISSUER}
  audience: hoop # what \`aud\` of an access token must hold
  clientId: \${HOOP_CLIENT_ID}
  scopes: [openid, email, groups, offline_access]
  claims: { email: email, groups: groups } # the claims of your provider that hold them
  reviewers: true # may people of this provider approve? For machines: reviewers: false, machine: true
`;

export const STARTER_CONNECTIONS = `# What can be reached, with which credential, by whom. Set the password before the start:
#   export PG_APP_PASSWORD=…
apiVersion: hoop/v1
kind: Connection
metadata: { name: postgres, labels: { env: dev } }
spec:
  type: postgres
  address: 127.0.0.1:5432
  database: postgres # the default; what else may be asked for: databases: ['shop_*']

  # verify-full (the default) checks certificate and name; with an authority of your own: ca: ./db-ca.pem
  tls: { mode: verify-full }

  # The first whose groups fit the caller is used: least privilege by identity. Nobody ever sees it.
  credentials:
    # - { groups: [dba], username: hoop_admin, password: { file: ./pg-admin.password } }
    - { groups: ['*'], username: hoop_app, password: { env: PG_APP_PASSWORD } }

  # Who may use it; '*' is everyone whom the identity provider knows.
  access: { groups: ['*'] }
---
# Who decides about a statement that a rule holds with \`action: approve\`, \`approval: dba-review\`.
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: dba-review }
spec:
  reviewers: [{ groups: [dba], count: 1 }] # every entry must be met; any reviewer may deny
  wait: 5m # how long the statement is held
---
## A model API. Callers put the address of their local port, or https://AGENT/c/openai/v1, where their SDK has its base
## URL, and never see the key. \`type: anthropic\` is the same with url: https://api.anthropic.com
# apiVersion: hoop/v1
# kind: Connection
# metadata: { name: openai }
# spec:
#   type: openai
#   url: https://api.openai.com
#   credentials: [{ groups: ['*'], apiKey: { env: OPENAI_API_KEY } }]
#   access: { groups: ['*'] }
#   # What limits on spending reckon with: US dollars for a million tokens. The first whose pattern fits.
#   prices:
#     - { model: 'gpt-4o-mini*', inputPerMillion: 0.15, outputPerMillion: 0.6 }
#     - { model: 'gpt-4o*', inputPerMillion: 2.5, outputPerMillion: 10, cachedInputPerMillion: 1.25 }
# ---
## Any other API over HTTP. A request's path is appended to the url; the headers are put in by the agent.
# apiVersion: hoop/v1
# kind: Connection
# metadata: { name: crm, labels: { env: dev } }
# spec:
#   type: http
#   url: https://crm.internal/api
#   ca: ./internal-ca.pem # left out: the system's authorities
#   credentials:
#     - { groups: ['*'], headers: { authorization: { env: CRM_TOKEN, prefix: 'Bearer ' } } }
#   uninspected: block # content that a rule or mask would have to read, and can't; or allow
#   access: { groups: ['*'] }
`;
