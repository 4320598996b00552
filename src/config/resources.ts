import type {
  AgentResource,
  ApprovalFlowResource,
  ConnectionResource,
  EntityResource,
  IdentityProviderResource,
  SinkResource,
} from '../core/resources.js';
import type { PolicySet } from '../policy/compile.js';
import type { PolicyDefinition } from '../policy/schema.js';

/** Everything a folder of resource files says: checked as a whole, names resolved, policies compiled. */
export interface Resources {
  /** Undefined only where it was not required. */
  readonly agent: AgentResource | undefined;
  /** In the order of their files: `hoop login` uses the first that offers it. */
  readonly identityProviders: readonly IdentityProviderResource[];
  readonly connections: readonly ConnectionResource[];
  readonly approvalFlows: readonly ApprovalFlowResource[];
  readonly sinks: readonly SinkResource[];
  readonly entities: readonly EntityResource[];
  readonly policies: readonly PolicyDefinition[];
  readonly policySet: PolicySet;
}
