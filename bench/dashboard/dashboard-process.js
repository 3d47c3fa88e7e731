// A dashboard on a port of its own. Arguments: the namespace, Redis's URL.
import { serveDashboard } from 'sessionwise/dashboard';
import { SECRET } from '../page/namespace.js';
import { serveParent } from '../support/child.js';

const [namespace, redis] = process.argv.slice(2);
const dashboard = await serveDashboard({ redis, namespace, secret: SECRET, port: 0 });
serveParent({ url: () => dashboard.url }, () => dashboard.close());
