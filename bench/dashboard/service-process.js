// A service that takes a log. Arguments: the namespace, Redis's URL.
import { startService } from 'sessionwise/service';
import { SECRET } from '../page/namespace.js';
import { serveParent } from '../support/child.js';

const [namespace, redis] = process.argv.slice(2);
const clusters = { first: ['/area-1*'], all: ['/**'] };
const options = { secret: SECRET, clusters, acceptTimes: true, sessions: { sweep: false } };
const service = await startService({ redis, namespace, ...options });
serveParent({}, () => service.stop());
