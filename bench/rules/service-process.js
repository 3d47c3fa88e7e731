// A service with the rules of this part, or none. Arguments: the namespace ("rules" or "none"), Redis's URL.
import { startService } from 'sessionwise/service';
import { SECRET } from '../page/namespace.js';
import { serveParent } from '../support/child.js';
import { rulesOf } from './rules.js';
import { readVisits } from './visits.js';

const [namespace, redis] = process.argv.slice(2);
const rules = namespace === 'rules' ? rulesOf(readVisits().areas) : {};
const service = await startService({ redis, namespace, secret: SECRET, sessions: { sweep: false }, ...rules });
serveParent({}, () => service.stop());
