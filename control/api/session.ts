// Signing in with the link that Gate printed: once, for a key of one's own.

import type { FastifyInstance } from 'fastify';
import { object, text } from '../../config/shape.ts';
import { formatId } from '../../core/ids.ts';
import { refuse } from '../../core/reasons.ts';
import { newApiKey } from '../keys.ts';
import type { ApiParts } from './parts.ts';
import { addRoute } from './route.ts';

const redemption = object({ link: text('the token of a sign-in link', /^[0-9a-f]{48}$/) }, ['link']);

export function sessionRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { directory, store, random } = parts;
  addRoute(app, directory, {
    method: 'POST',
    url: '/v1/session/key',
    who: 'open',
    summary: 'Turns a sign-in link, good once, into an admin key',
    body: redemption,
    handle: async ({ body }) => {
      if (!parts.redeemLink(body.link)) return refuse('unauthorized', 'the link is used, too old, or not of this Gate');
      const { key, stored } = newApiKey(random);
      const admin = directory.principals().find(({ name, role }) => name === 'admin' && role === 'admin');
      const id = admin?.id ?? formatId('prn', random(16));
      const by = { name: 'admin', id };
      if (admin === undefined) {
        const made = { id, name: 'admin', createdAt: 0, agent: null };
        await store.addPrincipal({ ...made, kind: 'person', role: 'admin', status: 'active' }, stored, by);
      } else await store.addKey(id, stored, null, by);
      await store.record([{ type: 'signed_in', actor: by, intent: null, metadata: { principal: id, with: 'link' } }]);
      await directory.refresh();
      return { status: 201, body: { agentId: id, apiKey: key, name: 'admin', role: 'admin' } };
    },
  });
}
