// Loaded into an agent that is measured, never part of hoop: its recordings stay empty, so that what recording costs can be
// told. A start and an end are still written, since the sessions' list needs them.
import { SecretScrubber } from '../../../dist/src/agent/sessions/secret-scrubber.js';
import { ChainRecorder } from '../../../dist/src/recording/writing/recorder.js';

ChainRecorder.prototype.record = () => undefined;
ChainRecorder.prototype.flush = () => undefined;
SecretScrubber.prototype.event = (event) => event;
