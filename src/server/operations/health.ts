// How the server itself is. For anyone: it says nothing of who does what. Reads the file system's figures.
import { statfs } from 'node:fs/promises';
import type { Handler } from './call.ts';

export const health: Handler<'health'> = async ({ lab }) => {
  const { bavail, blocks, bsize } = await statfs(lab.stateFolder);
  const use = lab.diskUse;
  return {
    version: lab.version,
    node: process.versions.node,
    at: lab.clock.wallAt(),
    agent: lab.agents.isConnected ? 'connected' : 'away',
    disk: { freeBytes: bavail * bsize, sizeBytes: blocks * bsize },
    ...(use ? { use: { bytes: use.totalBytes, bytesMax: use.totalBytesMax } } : {}),
  };
};
