// A client that is connected to a scripted server.
import { type Client, type ClientOptions, connectClient } from '../../src/client/client.ts';
import { type ScriptedOptions, ScriptedServer } from './scripted-server.ts';

export async function connectScripted(
  options: ScriptedOptions = {},
  more: Partial<ClientOptions> = {},
): Promise<{ server: ScriptedServer; client: Client }> {
  const server = new ScriptedServer(options);
  let ids = 0;
  const client = await connectClient({
    openLink: server.openLink,
    timers: server.timers,
    newRequestId: () => `request-${++ids}`,
    random: () => 0,
    ...more,
  });
  return { server, client };
}
