// What a client that knows the lab would put into the fields of a request: names that exist, numbers of tickets that may,
// tokens that may be right. Else little would get past the first look. Pure.
import type { Random } from '../simulation/random.ts';
import { hostileText, hostileWord } from './hostile-text.ts';
import { boardNames, users } from './lab.ts';

const targets = [...boardNames, 'first', 'pool', 'pc1,pc2', 'arch=x86', 'soc=pc1', 'nobody'];
/** Few, so that a holder's key is met again. */
const keys = ['0', 'k', '\u001b[31mred', 'a\nb'];

/** Of an input this far on: what was made before it may exist. */
export function knownFields(index: number): (name: string, random: Random) => unknown {
  return (name, random) => {
    switch (name) {
      case 'target':
      case 'board':
      case 'targets':
        return name === 'targets' ? [hostileWord(random, targets)] : hostileWord(random, targets);
      case 'key':
      case 'newKey':
        return random.chance(0.8) ? random.pick(keys) : hostileText(random);
      case 'ticket':
      case 'id':
      case 'job':
        return random.between(Math.max(1, Math.floor(index / 4) - 30), Math.floor(index / 4) + 10);
      case 'token':
        return `1.${random.between(Math.max(1, Math.floor(index / 4) - 30), index + 10)}`;
      case 'requestId':
        return random.chance(0.8) ? `fuzz-id-${index}` : `fuzz-id-${random.between(0, index)}`;
      case 'user':
        return hostileWord(random, users);
      case 'waitSeconds':
        return random.pick([0, 0, 1, 60]);
      case 'seconds':
        return random.pick([0, 1]);
      case 'holdSeconds':
        return random.pick([0, 1, 600]);
      case 'timeoutSeconds':
        return random.pick([-1, 0, 1]);
      case 'size':
        return random.pick([0, 1, 64]);
      case 'endText':
      case 'errorText':
        return random.pick(['', 'done', '(a|b)*c', '[', hostileText(random).slice(0, 100)]);
      case 'kind':
        return undefined;
      default:
        return undefined;
    }
  };
}
