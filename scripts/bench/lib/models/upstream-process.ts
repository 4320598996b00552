// The upstream of the bench as a process of its own: prints where it listens, and runs until it is ended.
import { ModelUpstream } from '../../../../src/dev/model-upstream/model-upstream.js';
import { UPSTREAM_KEYS } from './model-connections.js';
import { ReplayingUpstream } from './replaying-upstream.js';

const model = await ModelUpstream.start({ ...UPSTREAM_KEYS, keep: 0 });
const replaying = await ReplayingUpstream.start(model.url);
console.log(JSON.stringify({ replaying: replaying.url, plain: model.url }));
