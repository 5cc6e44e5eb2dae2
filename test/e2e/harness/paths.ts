// Where the program under test is: this checkout, as it was built.
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');

export const mqPath = resolve(root, 'bin/mq');
/** The same under its old name. */
export const oldMqPath = resolve(root, 'bin/mq.sh');
