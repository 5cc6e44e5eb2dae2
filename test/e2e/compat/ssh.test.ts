// The old words, ssh://.
import { testWay } from './test-way.ts';

await testWay('ssh://');
