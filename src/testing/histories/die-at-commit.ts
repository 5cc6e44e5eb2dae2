// Loaded ahead of the program from its source: gives its server a store that kills the process at one commit. Only a program
// started so knows of it: node --import 'file:///…/die-at-commit.ts?commit=7&when=before' src/cli/main.ts server …

import { registerHooks } from 'node:module';

const server = new URL('../../cli/server/server.ts', import.meta.url).href;
const dying = new URL(`dying-store.ts${new URL(import.meta.url).search}`, import.meta.url).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const isServers = context.parentURL === server && specifier === '../../store/sqlite/store.ts';
    return nextResolve(isServers ? dying : specifier, context);
  },
});
