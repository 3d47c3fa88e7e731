import { useRedis } from '../support/use-redis.ts';
import { describeForgetting } from './subjects.suite.ts';

const server = useRedis({ eachTest: 'kept' });

describeForgetting('on one server', server);
