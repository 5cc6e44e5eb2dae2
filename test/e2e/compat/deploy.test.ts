// The old words, deploy/mq.sh.
import { testWay } from './test-way.ts';

await testWay('deploy/mq.sh');
