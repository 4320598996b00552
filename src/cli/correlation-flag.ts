import { Flags } from '@oclif/core';

/** `--correlation-id` of the commands that open sessions. */
export const correlationFlag = Flags.string({
  description: 'ties the sessions of one run to each other (also HOOP_CORRELATION_ID, or the trace-id of TRACEPARENT)',
  helpValue: 'ID',
});
