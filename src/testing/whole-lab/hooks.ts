// Loaded ahead of everything else: gives the server's core a scheduler whose steps the judge hears of, and this process
// simulated time and files. `node --import PATH/hooks.ts …`, or the first import of a program.

import { registerHooks } from 'node:module';
import { replaceFiles } from '../simulated-host/files.ts';
import { replaceGlobals } from '../simulated-host/globals.ts';

const core = new URL('../../server/core.ts', import.meta.url).href;
const observed = new URL('observed-scheduler.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const isCores = context.parentURL === core && specifier === '../domain/scheduler.ts';
    return nextResolve(isCores ? observed : specifier, context);
  },
});
replaceGlobals();
replaceFiles();
