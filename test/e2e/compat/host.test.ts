// The old words, on the host.
import { testWay } from './test-way.ts';

await testWay('on the host');
