// For whoever watches over the lab: /metrics for Prometheus, and /healthz, the one page for which the door is open.
import type { FastifyInstance } from 'fastify';
import type { LabServer } from '../server/lab-server.ts';
import { contentType } from '../server/metrics/exposition.ts';
import { findTrouble, scrapeMetrics } from '../server/metrics/scrape.ts';
import type { Door } from './door.ts';

export const healthPath = '/healthz';

/** Neither is part of the API that /v1/openapi.json describes. */
export function addMonitoring(app: FastifyInstance, lab: LabServer, door: Door): void {
  const schema = { hide: true } as object;
  app.get('/metrics', { schema }, async (_request, reply) =>
    reply.type(contentType).send(await scrapeMetrics(lab)),
  );
  app.get(healthPath, { schema }, async (request, reply) => {
    const trouble = await findTrouble(lab);
    const isKnown = await door.admit(request.raw).then(
      () => true,
      () => false,
    );
    reply.status(trouble === undefined ? 200 : 503);
    const answer = { ok: trouble === undefined };
    // A stranger learns whether the lab is well, and keeps no connection.
    if (!isKnown) return reply.header('connection', 'close').send(answer);
    const agent = lab.agents.isConnected ? 'present' : 'away';
    return reply.send({ ...answer, agent, ...(trouble === undefined ? {} : { trouble }) });
  });
}
